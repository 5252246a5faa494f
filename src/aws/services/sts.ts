import { STSClient } from "@aws-sdk/client-sts";
import { configOf, type Target } from "../target.ts";

export const sts = (target: Target): STSClient => new STSClient(configOf(target));
