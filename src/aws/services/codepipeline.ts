import { CodePipelineClient } from "@aws-sdk/client-codepipeline";
import { configOf, type Target } from "../target.ts";

export const codepipeline = (target: Target): CodePipelineClient => new CodePipelineClient(configOf(target));
