import type { StartBuildInput } from "@aws-sdk/client-codebuild";
import { principalArn } from "../authorization/principal.ts";
import type { Call, Core } from "../gateway/service.ts";
import { emitState } from "./state-event.ts";
import type { Build, EnvironmentVariable, Project, Store } from "./store.ts";

/** StartBuild's input, and what CodePipeline adds to one of its own: no part of the public API, so nothing on the wire carries it. */
export type BuildRequest = StartBuildInput & { readonly pipeline?: Build["pipeline"] };

interface Asked {
  readonly project: Project;
  readonly input: BuildRequest;
  readonly call: Call;
}

/** Makes a build that waits to be run, and tells EventBridge of it. */
export function createBuild(core: Core, store: Store, { project, input, call }: Asked): Build {
  const { account, region } = call;
  const uuid = core.random.uuid();
  const id = `${project.name}:${uuid}`;
  const effective = withOverrides(project, input);
  const sourceVersion = input.sourceVersion ?? project.sourceVersion;
  const build: Build = {
    id,
    arn: `arn:aws:codebuild:${region}:${account}:build/${id}`,
    account,
    region,
    projectName: project.name,
    buildNumber: store.builds.find("project", `${account}/${region}/${project.name}`).length + 1,
    initiator: initiatorOf(call),
    ...queued(core),
    project: effective,
    environmentOverrides: (input.environmentVariablesOverride ?? []).map(
      ({ name = "", value = "", type = "PLAINTEXT" }) => ({ name, value, type }) as EnvironmentVariable,
    ),
    logs: logsOf(effective, uuid),
    logOffset: 0,
    ...(sourceVersion && { sourceVersion }),
    ...(input.pipeline && { pipeline: input.pipeline }),
    ...(input.idempotencyToken && { idempotencyToken: input.idempotencyToken }),
  };
  store.transaction(() => {
    store.builds.put([account, region, id], build);
    emitState(core, build);
  });
  return build;
}

/** The state of every build that begins. */
function queued({ clock }: Core): Pick<Build, "buildStatus" | "currentPhase" | "startTime" | "phases"> {
  const now = clock.now().toISOString();
  return {
    buildStatus: "IN_PROGRESS",
    currentPhase: "QUEUED",
    startTime: now,
    phases: [
      { phaseType: "SUBMITTED", phaseStatus: "SUCCEEDED", startTime: now, endTime: now },
      { phaseType: "QUEUED", startTime: now },
    ],
  };
}

function logsOf({ name, logsConfig }: Project, uuid: string): Build["logs"] {
  const configured = logsConfig?.cloudWatchLogs;
  return {
    group: configured?.groupName ?? `/aws/codebuild/${name}`,
    stream: configured?.streamName ? `${configured.streamName}/${uuid}` : uuid,
  };
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
  const name = principalArn(caller).split(":").at(-1);
  return name?.replace(/^(user|assumed-role)\//, "") ?? "unknown";
}
