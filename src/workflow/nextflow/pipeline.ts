import { readConfig, type Config, type ConfigOptions } from "./config/read-config.ts";
import { asValue } from "./config/settings.ts";
import { observe } from "./evaluate/scope.ts";
import type { Value, ValueMap } from "./evaluate/types.ts";
import { taskOf, type Task } from "./images/containers.ts";
import type { Project } from "./project.ts";
import { findInvocations } from "./script/invocations.ts";
import { loadMain, type Module } from "./script/module.ts";
import type { SourceFile } from "./syntax/source-file.ts";

/** A pipeline under the default configuration. */
export interface Pipeline {
  readonly config: Config;
  readonly main: Module;
  readonly tasks: readonly Task[];
  /** Parameters that the choice of processes and labels hangs on, before any container is looked at. */
  readonly inputs: ReadonlySet<string>;
}

/** Loads the pipeline as a run with these profiles would see it; without profiles, as a run that names none. */
export function loadPipeline(project: Project, file: SourceFile, options: ConfigOptions = {}): Pipeline {
  const config = readConfig(project, options);
  const provided = scriptNames(config, options.profiles);
  const inputs = new Set<string>();
  const main = loadMain(project, file, { params: new Map(config.params), builtin: (name) => provided.get(name), inputs });
  const seen = observe(project.evaluation, () => findInvocations(main).map((invocation) => taskOf(invocation, config)));
  for (const input of seen.inputs) inputs.add(input);
  return { config, main, tasks: seen.result, inputs };
}

function scriptNames({ root }: Config, profiles: readonly string[] | undefined): ValueMap {
  const manifest = root.get("manifest");
  const workflow: ValueMap = new Map<string, Value>([
    // HealthOmics runs every task in an OCI container; singularity and conda branches are never taken there.
    ["containerEngine", "docker"],
    ["profile", profiles?.join(",") ?? "standard"],
    ["manifest", manifest === undefined ? new Map() : asValue(manifest)],
    ["stubRun", false],
    // A definition is no Git checkout for the engine.
    ["revision", null],
    ["commitId", null],
    ["repository", null],
  ]);
  return new Map<string, Value>([["workflow", workflow]]);
}
