import type {
  BatchGetBuildsInput,
  BatchGetBuildsOutput,
  Build as SdkBuild,
  ListBuildsForProjectInput,
  ListBuildsForProjectOutput,
  ListBuildsInput,
  ListBuildsOutput,
  StartBuildInput,
  StartBuildOutput,
  StopBuildInput,
  StopBuildOutput,
  RetryBuildInput,
  RetryBuildOutput,
} from "@aws-sdk/client-codebuild";
import { principalArn } from "../authorization/principal.ts";
import { type Call, type Core, operation } from "../gateway/service.ts";
import { buildNotFound, invalidInput, projectNotFound } from "./errors.ts";
import { projectArn } from "./projects.ts";
import type { Runner } from "./runner.ts";
import { emitState } from "./state-event.ts";
import type { Build, EnvironmentVariable, Project, Store } from "./store.ts";

/** What CodePipeline adds to a StartBuild of its own; not part of the public API, so nothing on the wire carries it. */
export interface PipelineBuild {
  readonly pipeline?: Build["pipeline"];
}

const projectOf = (id: string): string => id.split("/").at(-1)?.split(":")[0] ?? "";

interface Builder {
  readonly core: Core;
  readonly store: Store;
  readonly runner: Runner;
}

/** StartBuild, StopBuild, RetryBuild, BatchGetBuilds, ListBuilds, ListBuildsForProject. */
export function buildOperations(core: Core, store: Store, runner: Runner) {
  return {
    ...startingOperations({ core, store, runner }),
    ...stoppingOperations({ core, store, runner }),
    ...readingOperations({ core, store, runner }),
  };
}

function startingOperations({ core, store, runner }: Builder) {
  const begin = (project: Project, input: StartBuildInput & PipelineBuild, call: Call): Build => {
    const build = newBuild(core, store, { project, input, call });
    core.background(`build ${build.id}`, (signal) => runner.run(build, signal));
    return build;
  };
  return {
    StartBuild: operation<StartBuildInput & PipelineBuild, StartBuildOutput>({
      access: (input, call) => [{ action: "codebuild:StartBuild", resource: projectArn(call, input.projectName ?? "") }],
      run(input, call) {
        const project = store.projects.get([call.account, call.region, input.projectName ?? ""]);
        if (!project) throw projectNotFound(input.projectName ?? "");
        const [known] = input.idempotencyToken
          ? store.builds.find("token", `${call.account}/${call.region}/${project.name}/${input.idempotencyToken}`)
          : [];
        return { build: describe(known?.value ?? begin(project, input, call)) };
      },
    }),
    RetryBuild: operation<RetryBuildInput, RetryBuildOutput>({
      access: (input, call) => [{ action: "codebuild:RetryBuild", resource: projectArn(call, projectOf(input.id ?? "")) }],
      run(input, call) {
        const before = find(store, call, input.id ?? "");
        if (before.buildStatus === "IN_PROGRESS") throw invalidInput(`Build ${before.id} is still running`);
        const again = {
          projectName: before.projectName,
          ...(before.sourceVersion && { sourceVersion: before.sourceVersion }),
          environmentVariablesOverride: [...before.environmentOverrides],
          ...(before.pipeline && { pipeline: before.pipeline }),
        };
        return { build: describe(begin(before.project, again as StartBuildInput & PipelineBuild, call)) };
      },
    }),
  };
}

function stoppingOperations({ core, store, runner }: Builder) {
  return {
    StopBuild: operation<StopBuildInput, StopBuildOutput>({
      access: (input, call) => [{ action: "codebuild:StopBuild", resource: projectArn(call, projectOf(input.id ?? "")) }],
      async run(input, call) {
        const build = find(store, call, input.id ?? "");
        if (build.buildStatus !== "IN_PROGRESS") return { build: describe(build) };
        const stopped: Build = { ...build, buildStatus: "STOPPED", currentPhase: "COMPLETED", endTime: core.clock.now().toISOString() };
        store.transaction(() => {
          store.builds.put([call.account, call.region, build.id], stopped);
          emitState(core, stopped);
        });
        await runner.stop(build);
        return { build: describe(stopped) };
      },
    }),
  };
}

function readingOperations({ store }: Builder) {
  return {
    BatchGetBuilds: operation<BatchGetBuildsInput, BatchGetBuildsOutput>({
      access: (input, call) =>
        (input.ids ?? []).map((id) => ({ action: "codebuild:BatchGetBuilds", resource: projectArn(call, projectOf(id)) })),
      run(input, call) {
        const found = (input.ids ?? []).map(
          (id) => [id, store.builds.get([call.account, call.region, id.split(":build/").at(-1) ?? id])] as const,
        );
        return {
          builds: found.flatMap(([, build]) => (build ? [describe(build)] : [])),
          buildsNotFound: found.filter(([, build]) => !build).map(([id]) => id),
        };
      },
    }),
    ListBuilds: operation<ListBuildsInput, ListBuildsOutput>({
      access: () => [{ action: "codebuild:ListBuilds", resource: "*" }],
      run: (input, call) => ({
        ids: ordered(
          store.builds.list([call.account, call.region]).map((entry) => entry.value),
          input.sortOrder,
        ),
      }),
    }),
    ListBuildsForProject: operation<ListBuildsForProjectInput, ListBuildsForProjectOutput>({
      access: (input, call) => [{ action: "codebuild:ListBuildsForProject", resource: projectArn(call, input.projectName ?? "") }],
      run: (input, call) => ({
        ids: ordered(
          store.builds.find("project", `${call.account}/${call.region}/${input.projectName}`).map((entry) => entry.value),
          input.sortOrder,
        ),
      }),
    }),
  };
}

function find(store: Store, call: Call, id: string): Build {
  const build = store.builds.get([call.account, call.region, id.split(":build/").at(-1) ?? id]);
  if (!build) throw buildNotFound(id);
  return build;
}

/** Newest first unless asked otherwise, at most a page of 100. */
function ordered(builds: readonly Build[], order: "ASCENDING" | "DESCENDING" | undefined): string[] {
  const sorted = [...builds].sort((a, b) => (a.startTime < b.startTime ? -1 : 1) * (order === "ASCENDING" ? 1 : -1));
  return sorted.slice(0, 100).map((build) => build.id);
}

function newBuild(
  core: Core,
  store: Store,
  { project, input, call }: { readonly project: Project; readonly input: StartBuildInput & PipelineBuild; readonly call: Call },
): Build {
  const uuid = core.random.uuid();
  const id = `${project.name}:${uuid}`;
  const now = core.clock.now().toISOString();
  const effective = withOverrides(project, input);
  const configured = effective.logsConfig?.cloudWatchLogs;
  const build: Build = {
    id,
    arn: `arn:aws:codebuild:${call.region}:${call.account}:build/${id}`,
    account: call.account,
    region: call.region,
    projectName: project.name,
    buildNumber: store.builds.find("project", `${call.account}/${call.region}/${project.name}`).length + 1,
    buildStatus: "IN_PROGRESS",
    currentPhase: "QUEUED",
    startTime: now,
    initiator: initiatorOf(call),
    phases: [
      { phaseType: "SUBMITTED", phaseStatus: "SUCCEEDED", startTime: now, endTime: now },
      { phaseType: "QUEUED", startTime: now },
    ],
    project: effective,
    environmentOverrides: (input.environmentVariablesOverride ?? []).map(
      ({ name = "", value = "", type = "PLAINTEXT" }) => ({ name, value, type }) as EnvironmentVariable,
    ),
    logs: {
      group: configured?.groupName ?? `/aws/codebuild/${project.name}`,
      stream: configured?.streamName ? `${configured.streamName}/${uuid}` : uuid,
    },
    logOffset: 0,
    ...((input.sourceVersion ?? project.sourceVersion) && { sourceVersion: input.sourceVersion ?? project.sourceVersion }),
    ...(input.pipeline && { pipeline: input.pipeline }),
    ...(input.idempotencyToken && { idempotencyToken: input.idempotencyToken }),
  };
  store.transaction(() => {
    store.builds.put([call.account, call.region, id], build);
    emitState(core, build);
  });
  return build;
}

/** The project as this build has it: what StartBuild overrides, under the names that projects have. */
function withOverrides(project: Project, input: StartBuildInput): Project {
  const given = (members: Readonly<Record<string, unknown>>): object =>
    Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
  return {
    ...project,
    ...given({
      timeoutInMinutes: input.timeoutInMinutesOverride,
      serviceRole: input.serviceRoleOverride,
      artifacts: input.artifactsOverride,
      encryptionKey: input.encryptionKeyOverride,
      secondaryArtifacts: input.secondaryArtifactsOverride,
      secondarySources: input.secondarySourcesOverride,
      secondarySourceVersions: input.secondarySourcesVersionOverride,
      logsConfig: input.logsConfigOverride,
    }),
    source: {
      ...project.source,
      ...given({ buildspec: input.buildspecOverride, type: input.sourceTypeOverride, location: input.sourceLocationOverride }),
    },
    environment: {
      ...project.environment,
      ...given({
        image: input.imageOverride,
        type: input.environmentTypeOverride,
        computeType: input.computeTypeOverride,
        privilegedMode: input.privilegedModeOverride,
      }),
    },
  };
}

/** `codepipeline/<pipeline>`, a user's name, or `role/session`. */
function initiatorOf({ caller, context }: Call): string {
  const pipeline = context["omx:Pipeline"];
  if (typeof pipeline === "string") return `codepipeline/${pipeline}`;
  return (
    principalArn(caller)
      .split(":")
      .at(-1)
      ?.replace(/^(user|assumed-role)\//, "") ?? "unknown"
  );
}

/** The project's, and what the request gave in place of them. */
const variablesOf = ({ project, environmentOverrides }: Build) => [
  ...new Map(
    [...(project.environment.environmentVariables ?? []), ...environmentOverrides].map((variable) => [variable.name, variable]),
  ).values(),
];

function describe(build: Build): SdkBuild {
  const {
    startTime,
    endTime,
    phases,
    logs,
    project,
    environmentOverrides: _e,
    logOffset: _l,
    pipeline: _p,
    account: _a,
    region,
    idempotencyToken: _i,
    ...rest
  } = build;
  const url = `https://console.aws.amazon.com/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${encodeURIComponent(logs.group)}/log-events/${encodeURIComponent(logs.stream)}`;
  return {
    ...rest,
    startTime: new Date(startTime),
    ...(endTime && { endTime: new Date(endTime) }),
    buildComplete: build.buildStatus !== "IN_PROGRESS",
    phases: phases.map(({ phaseType, phaseStatus, startTime: from, endTime: to, contexts }) => ({
      phaseType,
      ...(phaseStatus && { phaseStatus }),
      startTime: new Date(from),
      ...(to && { endTime: new Date(to), durationInSeconds: Math.round((Date.parse(to) - Date.parse(from)) / 1000) }),
      ...(contexts && { contexts }),
    })),
    source: project.source,
    artifacts: { location: "" },
    environment: { ...project.environment, environmentVariables: variablesOf(build) },
    serviceRole: project.serviceRole,
    timeoutInMinutes: project.timeoutInMinutes,
    ...(project.encryptionKey && { encryptionKey: project.encryptionKey }),
    logs: {
      groupName: logs.group,
      streamName: logs.stream,
      deepLink: url,
      cloudWatchLogsArn: `arn:aws:logs:${region}:${build.account}:log-group:${logs.group}:log-stream:${logs.stream}`,
      cloudWatchLogs: { status: "ENABLED", groupName: logs.group },
    },
  } as unknown as SdkBuild;
}
