import { CodeBuildClient } from "@aws-sdk/client-codebuild";
import { configOf, type Target } from "../target.ts";

export const codebuild = (target: Target): CodeBuildClient => new CodeBuildClient(configOf(target));
