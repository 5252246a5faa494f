import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { copyDockerSetup, dockerFolder } from "../../oci/client/docker-setup.ts";
import type { Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";
import { gitCredentialHelper, nodeOptions } from "../program-support.ts";
import type { BuildSpec } from "./buildspec.ts";
import { dockerShim } from "./docker-shim.ts";
import { Failure } from "../gateway/failure.ts";
import { homeIn, rememberMasked } from "./masking.ts";
import type { BuildFolders } from "./runner.ts";
import type { Build, EnvironmentVariable } from "./store.ts";
import { writeScript } from "./workspace.ts";

export interface EnvironmentParts {
  readonly folders: BuildFolders;
  readonly spec: BuildSpec;
  readonly as: Principal;
}

/**
 * The environment of a build: what CodeBuild sets, the buildspec's and the project's variables, the role's keys, and
 * the machine's PATH. Nothing else of the machine's environment is there.
 * @throws Failure for a variable whose value can't be had
 * @see https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
 */
export async function buildEnvironment(core: Core, build: Build, parts: EnvironmentParts): Promise<Record<string, string>> {
  const { folders, as } = parts;
  const bin = join(folders.root, "bin");
  const home = homeIn(folders.root);
  await mkdir(home, { recursive: true });
  const engine = await engineOf(core.settings.environment, home);
  await writeScript(
    join(bin, "docker"),
    dockerShim({ endpoint: core.endpoint(), bin, upstreams: core.settings.upstreams, folder: join(folders.root, "dockerfiles") }),
  );
  const { own, masked } = await variables(core, build, parts);
  await rememberMasked(folders.root, masked);
  return {
    ...engine,
    ...own,
    PATH: `${bin}:${core.settings.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"}`,
    HOME: home,
    LANG: "C.UTF-8",
    TMPDIR: "/tmp",
    NODE_OPTIONS: [nodeOptions(), own["NODE_OPTIONS"]].filter(Boolean).join(" "),
    ...accessVariables(core, build, as),
    ...buildVariables(build, folders),
    ...gitVariables(core, build, parts.spec),
  };
}

/**
 * How the machine's container engine is reached, which the empty home of a build does not say: Docker's context and plug-ins, and where
 * Podman without root keeps images. In the build's own home nobody but Podman could delete them.
 */
async function engineOf(machine: Readonly<Record<string, string>>, home: string): Promise<Record<string, string>> {
  await copyDockerSetup(dockerFolder(machine), join(home, ".docker"));
  const images = machine["XDG_DATA_HOME"] ?? (machine["HOME"] && join(machine["HOME"], ".local/share"));
  return {
    ...Object.fromEntries(
      ["DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "XDG_RUNTIME_DIR"].flatMap((name) =>
        machine[name] === undefined ? [] : [[name, machine[name]]],
      ),
    ),
    ...(images && process.getuid?.() !== 0 && { XDG_DATA_HOME: images }),
  };
}

/** What the SDKs and the AWS CLI need to work as the build's role in the local accounts. */
function accessVariables(core: Core, { region, project }: Build, as: Principal): Record<string, string> {
  const keys = core.directory.issue(as, project.timeoutInMinutes * 60);
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: core.endpoint(),
    AWS_DISABLE_HOST_PREFIX_INJECTION: "true",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
    ...(Object.keys(core.settings.upstreams).length > 0 && { OMX_UPSTREAMS: JSON.stringify(core.settings.upstreams) }),
  };
}

/** CodeCommit's addresses lead to the local ones; Git signs in by itself where the buildspec asks for it. */
function gitVariables(core: Core, { region }: Build, { gitCredentialHelper: isAsked }: BuildSpec): Record<string, string> {
  const configured: readonly (readonly [string, string])[] = [
    [`url.${core.endpoint()}/.insteadOf`, `https://git-codecommit.${region}.amazonaws.com/`],
    ...(isAsked
      ? ([
          ["credential.helper", gitCredentialHelper()],
          ["credential.useHttpPath", "true"],
        ] as const)
      : []),
  ];
  return Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(configured.length)],
    ...configured.flatMap(
      ([key, value], index) =>
        [
          [`GIT_CONFIG_KEY_${index}`, key],
          [`GIT_CONFIG_VALUE_${index}`, value],
        ] as const,
    ),
  ]);
}

function buildVariables(build: Build, folders: BuildFolders): Record<string, string> {
  const inputs =
    build.pipeline?.inputs.slice(1) ??
    build.project.secondarySources?.map(({ sourceIdentifier = "" }) => ({ name: sourceIdentifier })) ??
    [];
  return {
    CODEBUILD_BUILD_ID: build.id,
    CODEBUILD_BUILD_ARN: build.arn,
    CODEBUILD_BUILD_NUMBER: String(build.buildNumber),
    CODEBUILD_BUILD_IMAGE: build.project.environment.image,
    CODEBUILD_INITIATOR: build.initiator,
    CODEBUILD_SRC_DIR: folders.source,
    CODEBUILD_START_TIME: String(Date.parse(build.startTime)),
    CODEBUILD_BUILD_SUCCEEDING: "1",
    CODEBUILD_RESOLVED_SOURCE_VERSION: build.sourceVersion ?? "",
    CODEBUILD_SOURCE_VERSION: build.sourceVersion ?? "",
    CODEBUILD_LOG_PATH: build.logs.stream,
    ...Object.fromEntries(inputs.map(({ name }) => [`CODEBUILD_SRC_DIR_${name}`, `${folders.source}_${name}`])),
  };
}

/** The request's variables before the project's, those before the buildspec's. */
async function variables(
  core: Core,
  build: Build,
  { spec, as }: EnvironmentParts,
): Promise<{ readonly own: Record<string, string>; readonly masked: readonly string[] }> {
  const stored = [
    ...Object.entries(spec.parameterStore).map(([name, value]): EnvironmentVariable => ({ name, value, type: "PARAMETER_STORE" })),
    ...Object.entries(spec.secrets).map(([name, value]): EnvironmentVariable => ({ name, value, type: "SECRETS_MANAGER" })),
  ];
  const all = [...stored, ...(build.project.environment.environmentVariables ?? []), ...build.environmentOverrides];
  const resolved = await Promise.all(all.map(async (variable) => ({ ...variable, value: await valueOf(core, build, { variable, as }) })));
  const own = { ...spec.variables, ...Object.fromEntries(resolved.map(({ name, value }) => [name, value])) };
  return { own, masked: resolved.flatMap((variable) => (isStored(variable) ? [variable.value] : [])) };
}

const isStored = ({ type }: EnvironmentVariable): boolean => type === "PARAMETER_STORE" || type === "SECRETS_MANAGER";

interface Asked {
  readonly variable: EnvironmentVariable;
  readonly as: Principal;
}

async function valueOf(core: Core, build: Build, asked: Asked): Promise<string> {
  const { name, value, type } = asked.variable;
  if (!isStored(asked.variable)) return value;
  try {
    return await (type === "PARAMETER_STORE" ? parameterOf : secretOf)(core, build, asked);
  } catch (error) {
    throw new Failure(
      "CLIENT_ERROR",
      `variable ${name}: ${type === "PARAMETER_STORE" ? "parameter" : "secret"} ${value} can't be read: ${(error as Error).message}`,
    );
  }
}

async function parameterOf(core: Core, { account, region }: Build, { variable, as }: Asked): Promise<string> {
  const { Parameter } = await core.dispatcher.call<{ Parameter: { Value: string } }>({
    service: "ssm",
    operation: "GetParameter",
    input: { Name: variable.value, WithDecryption: true },
    as,
    account,
    region,
  });
  return Parameter.Value;
}

/** `secret id or ARN:JSON key:version stage:version id` (build-spec-ref.html, env/secrets-manager). */
async function secretOf(core: Core, { account, region }: Build, { variable, as }: Asked): Promise<string> {
  const [, SecretId = "", rest = ""] = /^(arn:(?:[^:]+:){5}[^:]+|[^:]+)(?::(.*))?$/.exec(variable.value) ?? [];
  const [key = "", stage = "", version = ""] = rest.split(":");
  const input = { SecretId, ...(stage !== "" && { VersionStage: stage }), ...(version !== "" && { VersionId: version }) };
  const { SecretString = "" } = await core.dispatcher.call<{ SecretString?: string }>({
    service: "secretsmanager",
    operation: "GetSecretValue",
    input,
    as,
    account,
    region,
  });
  if (key === "") return SecretString;
  const found: unknown = (JSON.parse(SecretString) as Record<string, unknown>)[key];
  if (found === undefined) throw new Error(`it has no key ${key}`);
  return String(found);
}
