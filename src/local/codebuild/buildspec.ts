import { parseDocument } from "yaml";
import { AwsError } from "../gateway/aws-error.ts";

/** The phases of buildspec 0.2, in their order. */
export const PHASES = ["install", "pre_build", "build", "post_build"] as const;
export type PhaseName = (typeof PHASES)[number];

export interface Phase {
  readonly commands: readonly string[];
  readonly finally: readonly string[];
  readonly onFailure: "ABORT" | "CONTINUE";
}

export interface Artifacts {
  readonly files: readonly string[];
  readonly baseDirectory: string;
  readonly discardPaths: boolean;
  readonly name?: string;
}

/** A buildspec, read. */
export interface BuildSpec {
  readonly variables: Readonly<Record<string, string>>;
  readonly exportedVariables: readonly string[];
  readonly parameterStore: Readonly<Record<string, string>>;
  readonly shell: string;
  readonly gitCredentialHelper: boolean;
  readonly phases: Readonly<Partial<Record<PhaseName, Phase>>>;
  readonly artifacts?: Artifacts;
  readonly secondaryArtifacts: Readonly<Record<string, Artifacts>>;
  /** What `runtime-versions` asks for: said in the log, the machine's own tools are used. */
  readonly runtimes: Readonly<Record<string, string>>;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a buildspec as CodeBuild does: YAML 1.1 (`yes` is true) or JSON.
 * @throws AwsError naming what is wrong, in CodeBuild's words where it has some
 * @see https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
 */
export function parseBuildSpec(text: string): BuildSpec {
  const document = parseDocument(text, { version: "1.1", merge: true });
  const problem = document.errors[0];
  if (problem) throw yamlError(problem.message);
  const spec = document.toJS({ maxAliasCount: 100 }) as Json | null;
  if (typeof spec !== "object" || spec === null) throw yamlError("the buildspec is empty");
  if (!["0.1", "0.2"].includes(String(spec["version"]))) throw yamlError(`version ${String(spec["version"])} is not known; write version: 0.2`);
  const env = asObject(spec["env"]);
  const artifacts = spec["artifacts"] ? readArtifacts(asObject(spec["artifacts"])) : undefined;
  const secondary = asObject(asObject(spec["artifacts"])["secondary-artifacts"]);
  return {
    variables: texts(env["variables"]),
    exportedVariables: list(env["exported-variables"]),
    parameterStore: texts(env["parameter-store"]),
    shell: String(env["shell"] ?? "sh"),
    gitCredentialHelper: env["git-credential-helper"] === true || env["git-credential-helper"] === "yes",
    phases: Object.fromEntries(PHASES.flatMap((name) => readPhase(name, asObject(spec["phases"])[name]))),
    secondaryArtifacts: Object.fromEntries(Object.entries(secondary).map(([name, value]) => [name, readArtifacts(asObject(value))])),
    runtimes: texts(asObject(asObject(spec["phases"])["install"])["runtime-versions"]),
    ...(artifacts && { artifacts }),
  };
}

function readPhase(name: PhaseName, value: unknown): [PhaseName, Phase][] {
  if (value === undefined || value === null) return [];
  const phase = asObject(value);
  const known = ["commands", "finally", "on-failure", "runtime-versions", "run-as", "steps"];
  const unknown = Object.keys(phase).find((key) => !known.includes(key));
  if (unknown) throw yamlError(`phase ${name} has ${unknown}, which is not known; known: ${known.join(", ")}`);
  return [[name, { commands: list(phase["commands"]), finally: list(phase["finally"]), onFailure: phase["on-failure"] === "CONTINUE" ? "CONTINUE" : "ABORT" }]];
}

const readArtifacts = (value: Json): Artifacts => ({
  files: list(value["files"]),
  baseDirectory: String(value["base-directory"] ?? "."),
  discardPaths: value["discard-paths"] === true || value["discard-paths"] === "yes",
  ...(value["name"] !== undefined && { name: String(value["name"]) }),
});

const asObject = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const texts = (value: unknown): Record<string, string> => Object.fromEntries(Object.entries(asObject(value)).map(([name, text]) => [name, String(text)]));
const list = (value: unknown): string[] => (Array.isArray(value) ? value.flat().map(String) : value === undefined || value === null ? [] : [String(value)]);

const yamlError = (why: string): AwsError => new AwsError(400, "YAML_FILE_ERROR", `Message: ${why}`);
