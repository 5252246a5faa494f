import { evaluate } from "../evaluate/evaluate.ts";
import type { FunctionValue, Scope, Unknown, Value, ValueMap } from "../evaluate/types.ts";
import { isMap } from "../evaluate/values.ts";
import { locate, markedFolder, report, PROJECT_MARK, sourceOf, type Project } from "../project.ts";
import type { Expr } from "../syntax/ast.ts";
import type { SourceFile } from "../syntax/source-file.ts";
import { run, type Builder, type Fork, type ParamPlace, type Place, type PluginUse } from "./execute.ts";
import { asValue, type ConfigMap } from "./settings.ts";

/** The configuration as Nextflow builds it for the given profiles. */
export interface Config {
  readonly root: ConfigMap;
  readonly params: ValueMap;
  readonly paramPlaces: ReadonlyMap<string, ParamPlace>;
  readonly profiles: ReadonlySet<string>;
  readonly plugins: readonly PluginUse[];
  /** The root file, where there is one. */
  readonly file: SourceFile | undefined;
  /** Every configuration that was included, the root file as well. */
  readonly files: ReadonlySet<string>;
  /** What parameters could make of it otherwise, by keys for `flipped`. */
  readonly forks: ReadonlyMap<string, Fork>;
  /** What one profile alone would set over the defaults, whatever stands around its block. */
  readonly only: (profile: string) => Pick<Config, "root" | "params" | "paramPlaces">;
}

/** How a configuration is to be read. */
export interface ConfigOptions {
  /** Without any the one named `standard` is in force, as in Nextflow. */
  readonly profiles?: readonly string[];
  /** A fork to take the other way. */
  readonly flipped?: string;
}

/** A pipeline of hundreds of modules includes hundreds of configurations, not thousands. */
const MOST_INCLUDES = 2_000;

/** The configuration beside the main file. */
export function readConfig(project: Project, { profiles, flipped }: ConfigOptions = {}): Config {
  const path = project.folder === "" ? "nextflow.config" : `${project.folder}/nextflow.config`;
  const file = sourceOf(project, path);
  const files = new Set<string>();
  const builder = newBuilder(new Set(profiles ?? ["standard"]), flipped);
  const state: Including = { project, builder, files, open: [], functions: new Map() };
  if (file !== undefined) execute(state, file, { path: [], isTried: false });
  return { ...builder, file, files, only: (profile) => readProfile(state, profile) };
}

const newBuilder = (active: ReadonlySet<string>, flipped: string | undefined): Builder => ({
  root: new Map(),
  params: new Map(),
  active,
  profiles: new Set(),
  plugins: [],
  paramPlaces: new Map(),
  include: () => undefined,
  forks: new Map(),
  flipped,
  dormant: [],
});

function readProfile(state: Including, profile: string): Pick<Config, "root" | "params" | "paramPlaces"> {
  const empty = newBuilder(new Set([profile]), undefined);
  const params = copied(state.builder.params);
  const builder: Builder = { ...empty, params, include: (target, at) => include({ ...state, builder: { ...empty, params } }, target, at) };
  for (const each of state.builder.dormant) if (each.profile === profile) each.apply(builder);
  return builder;
}

const copied = (map: ValueMap): ValueMap => new Map([...map].map(([name, value]) => [name, isMap(value) ? copied(value) : value]));

interface Including {
  readonly project: Project;
  readonly builder: Builder;
  readonly files: Set<string>;
  /** The files whose inclusion is under way. */
  readonly open: readonly string[];
  /** Functions of all files: closures of an included file call those of the root (`check_max`). */
  readonly functions: Map<string, FunctionValue>;
}

function execute(state: Including, file: SourceFile, place: Omit<Place, "scope">): void {
  const { project, files, open } = state;
  files.add(file.path);
  const builder: Builder = {
    ...state.builder,
    include: (target, at) => include({ ...state, open: [...open, file.path] }, target, at),
  };
  const scope = { ...configScope(project, builder, file), functions: state.functions };
  run(builder, file.statements, { ...place, scope });
}

function configScope(project: Project, builder: Builder, file: SourceFile): Omit<Scope, "functions"> {
  return {
    evaluation: project.evaluation,
    file,
    params: builder.params,
    builtin: (name) => configName(name, file, builder),
    variables: new Map(),
  };
}

const inEnvironment = (name: string): Unknown => ({ kind: "unknown", expression: name, inputs: [], isTruthy: true });

function configName(name: string, file: SourceFile, { root, params }: Builder): Value | undefined {
  if (name === "projectDir" || name === "baseDir") return PROJECT_MARK;
  if (name === "params") return params;
  // HealthOmics sets it for the engine; configurations ask whether it is there (healthomics.md, section 3.4).
  if (name === "AWS_WORKFLOW_RUN") return inEnvironment(name);
  if (name === "launchDir" || name === "workDir") return { ...inEnvironment(name), expression: name };
  const entry = root.get(name);
  return entry === undefined ? undefined : asValue(entry);
}

function include(state: Including, target: Expr, place: Place): void {
  const { project, open, files } = state;
  const { scope, isTried } = place;
  const path = evaluate(target, scope);
  if (typeof path !== "string" || path === "" || path === "/dev/null") return;
  const at = { file: scope.file, offset: target.start } as const;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) {
    const message = `${path} is not read: HealthOmics reaches no network while it reads a configuration; put the file into the definition`;
    return report(project, { ...at, rule: "nextflow-remote-config", severity: "info", message });
  }
  const found = locate(project, scope.file.path, path);
  if (found === undefined || !project.tree.has(found)) {
    // A file that only a profile or another parameter asks for is missed then, and not by every run.
    const severity = state.builder.flipped === undefined && place.profile === undefined ? "error" : "warning";
    if (!isTried) report(project, { ...at, rule: "nextflow-missing-config", severity, message: missing(path, found) });
    return;
  }
  if (open.includes(found) || files.size > MOST_INCLUDES || open.length > 50) {
    return report(project, {
      ...at,
      rule: "nextflow-include-cycle",
      severity: "error",
      message: `${found} includes itself, over ${open.join(", ")}`,
    });
  }
  const file = sourceOf(project, found);
  if (file !== undefined) execute(state, file, place);
}

function missing(path: string, found: string | undefined): string {
  const written = path.replaceAll(PROJECT_MARK, "${projectDir}");
  if (found === undefined) return `${written} lies outside the definition; HealthOmics has only the files of the definition`;
  return `${found} is not in the definition; Nextflow ends with "Config file does not exist"`;
}

/** The value of `moduleDir` for a script. */
export const moduleDirectory = (path: string): string => markedFolder(path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
