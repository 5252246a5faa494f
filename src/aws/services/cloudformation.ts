import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { configOf, type Target } from "../target.ts";

export const cloudformation = (target: Target): CloudFormationClient => new CloudFormationClient(configOf(target));
