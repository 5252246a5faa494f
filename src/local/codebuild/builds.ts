import type {
  BatchGetBuildsInput,
  BatchGetBuildsOutput,
  ListBuildsForProjectInput,
  ListBuildsForProjectOutput,
  ListBuildsInput,
  ListBuildsOutput,
  RetryBuildInput,
  RetryBuildOutput,
  StartBuildOutput,
  StopBuildInput,
  StopBuildOutput,
} from "@aws-sdk/client-codebuild";
import { type Call, type Core, operation } from "../gateway/service.ts";
import { type BuildRequest, createBuild } from "./create-build.ts";
import { describeBuild } from "./describe-build.ts";
import { buildNotFound, invalidInput, projectNotFound } from "./errors.ts";
import { projectArn } from "./projects.ts";
import type { Runner } from "./runner.ts";
import { emitState } from "./state-event.ts";
import type { Build, Project, Store } from "./store.ts";

interface Builder {
  readonly core: Core;
  readonly store: Store;
  readonly runner: Runner;
}

/** StartBuild, StopBuild, RetryBuild, BatchGetBuilds, ListBuilds, ListBuildsForProject. */
export function buildOperations(core: Core, store: Store, runner: Runner) {
  return { ...runningOperations({ core, store, runner }), ...readingOperations(store) };
}

const onProject = (action: string, call: Call, name: string | undefined) => ({
  action: `codebuild:${action}`,
  resource: projectArn(call, name ?? ""),
});

/** Builds are authorized on their project, which their id names. */
const onBuild = (action: string, call: Call, id: string | undefined) => onProject(action, call, id?.split("/").at(-1)?.split(":")[0]);

function runningOperations(builder: Builder) {
  return {
    StartBuild: operation<BuildRequest, StartBuildOutput>({
      access: (input, call) => [onProject("StartBuild", call, input.projectName)],
      run: (input, call) => ({ build: describeBuild(start(builder, input, call)) }),
    }),
    RetryBuild: operation<RetryBuildInput, RetryBuildOutput>({
      access: (input, call) => [onBuild("RetryBuild", call, input.id)],
      run: (input, call) => ({ build: describeBuild(retry(builder, input, call)) }),
    }),
    StopBuild: operation<StopBuildInput, StopBuildOutput>({
      access: (input, call) => [onBuild("StopBuild", call, input.id)],
      run: async (input, call) => ({ build: describeBuild(await stop(builder, input, call)) }),
    }),
  };
}

function readingOperations(store: Store) {
  return {
    BatchGetBuilds: operation<BatchGetBuildsInput, BatchGetBuildsOutput>({
      access: (input, call) => (input.ids ?? []).map((id) => onBuild("BatchGetBuilds", call, id)),
      run(input, call) {
        const found = (input.ids ?? []).map((id) => [id, store.builds.get(keyOf(call, id))] as const);
        return {
          builds: found.flatMap(([, build]) => (build ? [describeBuild(build)] : [])),
          buildsNotFound: found.filter(([, build]) => !build).map(([id]) => id),
        };
      },
    }),
    ListBuilds: operation<ListBuildsInput, ListBuildsOutput>({
      access: () => [{ action: "codebuild:ListBuilds", resource: "*" }],
      run: ({ sortOrder }, { account, region }) => ({ ids: idsOf(store.builds.list([account, region]), sortOrder) }),
    }),
    ListBuildsForProject: operation<ListBuildsForProjectInput, ListBuildsForProjectOutput>({
      access: (input, call) => [onProject("ListBuildsForProject", call, input.projectName)],
      run: ({ projectName, sortOrder }, { account, region }) => ({
        ids: idsOf(store.builds.find("project", `${account}/${region}/${projectName}`), sortOrder),
      }),
    }),
  };
}

/** A token that was seen is the build it started then. */
function start(builder: Builder, input: BuildRequest, call: Call): Build {
  const { account, region } = call;
  const name = input.projectName ?? "";
  const project = builder.store.projects.get([account, region, name]);
  if (!project) throw projectNotFound(name);
  const token = input.idempotencyToken;
  const [known] = token ? builder.store.builds.find("token", `${account}/${region}/${name}/${token}`) : [];
  return known?.value ?? begin(builder, project, { input, call });
}

/** Another build as the one before was asked for, of the project as that build had it. */
function retry(builder: Builder, { id }: RetryBuildInput, call: Call): Build {
  const before = find(builder.store, call, id);
  if (before.buildStatus === "IN_PROGRESS") throw invalidInput(`Build ${before.id} is still running`);
  const again = {
    projectName: before.projectName,
    ...(before.sourceVersion && { sourceVersion: before.sourceVersion }),
    environmentVariablesOverride: [...before.environmentOverrides],
    ...(before.pipeline && { pipeline: before.pipeline }),
  };
  return begin(builder, before.project, { input: again as BuildRequest, call });
}

function begin({ core, store, runner }: Builder, project: Project, request: { readonly input: BuildRequest; readonly call: Call }): Build {
  const build = createBuild(core, store, { project, ...request });
  core.background(`build ${build.id}`, (signal) => runner.run(build, signal));
  return build;
}

/** Stopping one that has ended changes nothing. */
async function stop({ core, store, runner }: Builder, { id }: StopBuildInput, call: Call): Promise<Build> {
  const build = find(store, call, id);
  if (build.buildStatus !== "IN_PROGRESS") return build;
  const stopped: Build = { ...build, buildStatus: "STOPPED", currentPhase: "COMPLETED", endTime: core.clock.now().toISOString() };
  store.transaction(() => {
    store.builds.put([build.account, build.region, build.id], stopped);
    emitState(core, stopped);
  });
  await runner.stop(build);
  return stopped;
}

/** A build may be named by its ARN. */
const keyOf = ({ account, region }: Call, id: string) => [account, region, id.split(":build/").at(-1) ?? id];

function find(store: Store, call: Call, id: string | undefined): Build {
  const build = store.builds.get(keyOf(call, id ?? ""));
  if (!build) throw buildNotFound(id ?? "");
  return build;
}

/** Newest first unless asked otherwise, at most a page of 100. */
function idsOf(builds: readonly { readonly value: Build }[], order: "ASCENDING" | "DESCENDING" | undefined): string[] {
  const direction = order === "ASCENDING" ? 1 : -1;
  return builds
    .map(({ value }) => value)
    .sort((a, b) => (a.startTime < b.startTime ? -1 : 1) * direction)
    .slice(0, 100)
    .map(({ id }) => id);
}
