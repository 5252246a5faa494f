import { SFNClient } from "@aws-sdk/client-sfn";
import { unprefixedConfigOf, type Target } from "../target.ts";

export const states = (target: Target): SFNClient => new SFNClient(unprefixedConfigOf(target));
