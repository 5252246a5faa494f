import { OmicsClient } from "@aws-sdk/client-omics";
import { unprefixedConfigOf, type Target } from "../target.ts";

export const omics = (target: Target): OmicsClient => new OmicsClient(unprefixedConfigOf(target));
