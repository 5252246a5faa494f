import type { Build as SdkBuild } from "@aws-sdk/client-codebuild";
import type { Build, BuildPhase } from "./store.ts";

/** A build as CodeBuild's answers give it, without what only the local accounts keep of it. */
export function describeBuild(build: Build): SdkBuild {
  const { startTime, endTime, phases, logs: _logs, project, ...rest } = build;
  const { environmentOverrides: _e, logOffset: _l, pipeline: _p, account: _a, region: _r, idempotencyToken: _i, ...shown } = rest;
  return {
    ...shown,
    startTime: new Date(startTime),
    ...(endTime && { endTime: new Date(endTime) }),
    buildComplete: build.buildStatus !== "IN_PROGRESS",
    phases: phases.map(describePhase),
    source: project.source,
    artifacts: { location: "" },
    environment: { ...project.environment, environmentVariables: variablesOf(build) },
    serviceRole: project.serviceRole,
    timeoutInMinutes: project.timeoutInMinutes,
    ...(project.encryptionKey && { encryptionKey: project.encryptionKey }),
    logs: describeLogs(build),
  } as unknown as SdkBuild;
}

const describePhase = ({ phaseType, phaseStatus, startTime: from, endTime: to, contexts }: BuildPhase) => ({
  phaseType,
  ...(phaseStatus && { phaseStatus }),
  startTime: new Date(from),
  ...(to && { endTime: new Date(to), durationInSeconds: Math.round((Date.parse(to) - Date.parse(from)) / 1000) }),
  ...(contexts && { contexts }),
});

function describeLogs({ account, region, logs: { group, stream } }: Build) {
  const page = `https://console.aws.amazon.com/cloudwatch/home?region=${region}#logsV2:log-groups`;
  return {
    groupName: group,
    streamName: stream,
    deepLink: `${page}/log-group/${encodeURIComponent(group)}/log-events/${encodeURIComponent(stream)}`,
    cloudWatchLogsArn: `arn:aws:logs:${region}:${account}:log-group:${group}:log-stream:${stream}`,
    cloudWatchLogs: { status: "ENABLED", groupName: group },
  };
}

/** The project's, and what the request gave in place of them. */
function variablesOf({ project, environmentOverrides }: Build) {
  const all = [...(project.environment.environmentVariables ?? []), ...environmentOverrides];
  return [...new Map(all.map((variable) => [variable.name, variable])).values()];
}
