import { parseDocument } from "yaml";
import { Failure } from "../gateway/failure.ts";

/** The phases of buildspec 0.2, in their order. */
export const PHASES = ["install", "pre_build", "build", "post_build"] as const;
export type PhaseName = (typeof PHASES)[number];

export interface Phase {
  readonly commands: readonly string[];
  readonly finally: readonly string[];
  /** Absent: the build goes on as the transitions of phases say. */
  readonly onFailure?: "ABORT" | "CONTINUE";
}

export interface Artifacts {
  readonly files: readonly string[];
  readonly excludePaths: readonly string[];
  readonly baseDirectory: string;
  readonly discardPaths: boolean;
  readonly name?: string;
}

/** A buildspec, read. */
export interface BuildSpec {
  /** 0.1 runs each command in a shell of its own. */
  readonly version: "0.1" | "0.2";
  readonly variables: Readonly<Record<string, string>>;
  readonly exportedVariables: readonly string[];
  /** Variable → name of the parameter. */
  readonly parameterStore: Readonly<Record<string, string>>;
  /** `secret id or ARN:JSON key:version stage:version id` by the variable's name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly shell: "bash" | "sh";
  /** Whether Git signs in to CodeCommit by itself. */
  readonly gitCredentialHelper: boolean;
  readonly phases: Readonly<Partial<Record<PhaseName, Phase>>>;
  /** Users that the buildspec wants to run as, of the whole and of each phase. */
  readonly runAs: readonly string[];
  readonly artifacts?: Artifacts;
  readonly secondaryArtifacts: Readonly<Record<string, Artifacts>>;
  /** What `runtime-versions` asks for: said in the log, the machine's own tools are used. */
  readonly runtimes: Readonly<Record<string, string>>;
  /** Keys that are valid on AWS and do nothing here: said in the log. */
  readonly withoutEffect: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a buildspec as CodeBuild does: YAML 1.1 (`yes` is true) or JSON.
 * @throws Failure naming what is wrong, in CodeBuild's words where it has some
 * @see https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
 */
export function parseBuildSpec(text: string): BuildSpec {
  const spec = read(text);
  const version = String(spec["version"]);
  if (version !== "0.1" && version !== "0.2") throw yamlError(`version ${version} is not known; write version: 0.2`);
  const env = asObject(spec["env"]);
  const phases = asObject(spec["phases"]);
  const artifacts = asObject(spec["artifacts"]);
  return {
    version,
    ...readEnv(env),
    phases: Object.fromEntries(PHASES.flatMap((name) => readPhase(name, phases[name]))),
    runAs: [spec, ...PHASES.map((name) => asObject(phases[name]))].flatMap((one) =>
      one["run-as"] === undefined ? [] : [String(one["run-as"])],
    ),
    secondaryArtifacts: Object.fromEntries(
      Object.entries(asObject(artifacts["secondary-artifacts"])).map(([name, value]) => [name, readArtifacts(asObject(value))]),
    ),
    runtimes: texts(asObject(phases["install"])["runtime-versions"]),
    withoutEffect: ["batch", "cache", "proxy", "reports"].filter((key) => key in spec),
    ...(spec["artifacts"] !== undefined && { artifacts: readArtifacts(artifacts) }),
  };
}

function read(text: string): Json {
  const document = parseDocument(text, { version: "1.1", merge: true });
  const problem = document.errors[0];
  if (problem) throw yamlError(problem.message);
  const spec: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof spec !== "object" || spec === null) throw yamlError("the buildspec is empty");
  return spec as Json;
}

function readEnv(
  env: Json,
): Pick<BuildSpec, "variables" | "exportedVariables" | "parameterStore" | "secrets" | "shell" | "gitCredentialHelper"> {
  return {
    variables: texts(env["variables"]),
    exportedVariables: list(env["exported-variables"]),
    parameterStore: texts(env["parameter-store"]),
    secrets: texts(env["secrets-manager"]),
    shell: readShell(env["shell"]),
    gitCredentialHelper: isYes(env["git-credential-helper"]),
  };
}

function readShell(value: unknown): BuildSpec["shell"] {
  const shell = value === undefined ? "sh" : String(value).split("/").at(-1);
  if (shell !== "bash" && shell !== "sh") throw yamlError(`env/shell ${String(value)} is not a shell of Linux; known: bash, /bin/sh`);
  return shell;
}

const PHASE_KEYS = ["commands", "finally", "on-failure", "runtime-versions", "run-as", "steps"];

function readPhase(name: PhaseName, value: unknown): [PhaseName, Phase][] {
  if (value === undefined || value === null) return [];
  const phase = asObject(value);
  const unknown = Object.keys(phase).find((key) => !PHASE_KEYS.includes(key));
  if (unknown) throw yamlError(`phase ${name} has ${unknown}, which is not known; known: ${PHASE_KEYS.join(", ")}`);
  const onFailure = phase["on-failure"];
  if (String(onFailure).startsWith("RETRY"))
    throw new Failure(
      "INVALID_INPUT",
      `phase ${name}: on-failure ${String(onFailure)} is not there in the local accounts; use ABORT or CONTINUE`,
    );
  if (onFailure !== undefined && onFailure !== "ABORT" && onFailure !== "CONTINUE")
    throw yamlError(`phase ${name}: on-failure ${String(onFailure)} is not known; known: ABORT, CONTINUE, RETRY`);
  return [[name, { commands: list(phase["commands"]), finally: list(phase["finally"]), ...(onFailure !== undefined && { onFailure }) }]];
}

const readArtifacts = (value: Json): Artifacts => ({
  files: list(value["files"]),
  excludePaths: list(value["exclude-paths"]),
  baseDirectory: String(value["base-directory"] ?? "."),
  discardPaths: isYes(value["discard-paths"]),
  ...(value["name"] !== undefined && { name: String(value["name"]) }),
});

const isYes = (value: unknown): boolean => value === true || value === "yes";
const asObject = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const texts = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(asObject(value)).map(([name, text]) => [name, String(text)]));

/** One value is a list of one. */
function list(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.flat().map(String) : [String(value)];
}

const yamlError = (why: string): Failure => new Failure("YAML_FILE_ERROR", `Message: ${why}`);
