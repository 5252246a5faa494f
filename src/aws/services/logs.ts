import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { configOf, type Target } from "../target.ts";

export const logs = (target: Target): CloudWatchLogsClient => new CloudWatchLogsClient(configOf(target));
