import { CodeCommitClient } from "@aws-sdk/client-codecommit";
import { configOf, type Target } from "../target.ts";

export const codecommit = (target: Target): CodeCommitClient => new CodeCommitClient(configOf(target));
