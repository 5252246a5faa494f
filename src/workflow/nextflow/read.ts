import type { Diagnostic, ParameterTemplate, Reading } from "../inspection.ts";
import type { SourceTree } from "../source-tree.ts";
import { check } from "./lint/check.ts";
import { dslOf, readManifest } from "./manifest.ts";
import { readParameters } from "./parameters/parameters.ts";
import { loadPipeline } from "./pipeline.ts";
import { openProject, sourceOf, tell, type Project } from "./project.ts";
import type { SourceFile } from "./syntax/source-file.ts";
import { imagesOf } from "./variants.ts";

/**
 * Reads a Nextflow pipeline from its main script, the configuration beside it and all that these include.
 * Runs nothing and never throws: what can't be read is a diagnostic.
 */
export function readNextflow(tree: SourceTree, main: string): Reading {
  const project = openProject(tree, main);
  const file = sourceOf(project, main);
  if (file === undefined) {
    if (!tree.has(main))
      tell(project, {
        rule: "nextflow-missing-main",
        severity: "error",
        file: main,
        line: 1,
        column: 1,
        message: `${main} is not in the definition`,
      });
    return { parameterTemplate: {}, parameters: [], images: [], unresolved: [], diagnostics: ordered(project) };
  }
  return readPipeline(project, file);
}

function readPipeline(project: Project, file: SourceFile): Reading {
  const pipeline = loadPipeline(project, file);
  const manifest = readManifest(project, pipeline.config);
  const { name, version, versionAt } = manifest;
  const dsl = dslOf(file);
  const parameters = readParameters(project, file, { config: pipeline.config, params: pipeline.main.scope.params });
  const { images, unresolved } = imagesOf(project, pipeline);
  check(project, pipeline, { manifest, dsl });
  return {
    languageVersion: dsl,
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(versionAt && { versionAt }),
    ...parameters,
    images,
    unresolved,
    diagnostics: ordered(project),
  };
}

/** By file, then by place. */
const ordered = ({ diagnostics }: Project): readonly Diagnostic[] =>
  [...diagnostics.values()].sort((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1));

/** What `GetWorkflow` tells of profiles: their names in the order of the configuration. */
export function nextflowProfiles(tree: SourceTree, main: string): readonly string[] {
  const project = openProject(tree, main);
  const file = sourceOf(project, main);
  return file === undefined ? [] : [...loadPipeline(project, file).config.profiles];
}

/**
 * The template of each profile, as `GetWorkflow` gives them in `profileParameterTemplates`: what a profile gives a value
 * may be left out under it (the guide names the member and not its rule; this is what a run with the profile needs).
 */
export function nextflowProfileTemplates(tree: SourceTree, main: string): Readonly<Record<string, ParameterTemplate>> {
  const project = openProject(tree, main);
  const file = sourceOf(project, main);
  if (file === undefined) return {};
  const { config, main: module } = loadPipeline(project, file);
  const { parameterTemplate } = readParameters(project, file, { config, params: module.scope.params });
  const templates = [...config.profiles].map((profile) => {
    const { paramPlaces } = config.only(profile);
    const isGiven = (name: string): boolean => paramPlaces.has(name);
    const entries = Object.entries(parameterTemplate).map(
      ([name, entry]) => [name, isGiven(name) ? { ...entry, optional: true } : entry] as const,
    );
    return [profile, Object.fromEntries(entries)] as const;
  });
  return Object.fromEntries(templates);
}
