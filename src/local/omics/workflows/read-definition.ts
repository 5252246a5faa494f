import { detect, isDetected, type Detected } from "../../../workflow/detect.ts";
import { inspect } from "../../../workflow/inspect.ts";
import type { Diagnostic, Engine, Inspection, ParameterTemplate as FoundTemplate } from "../../../workflow/inspection.ts";
import { readManifest } from "../../../workflow/nextflow/manifest.ts";
import { loadPipeline } from "../../../workflow/nextflow/pipeline.ts";
import { openProject, sourceOf } from "../../../workflow/nextflow/project.ts";
import { nextflowProfiles, nextflowProfileTemplates } from "../../../workflow/nextflow/read.ts";
import type { SourceTree } from "../../../workflow/source-tree.ts";
import { openZip } from "../../../workflow/zip-tree.ts";
import { checkWdl } from "../../engines/check.ts";
import { EngineUnavailable } from "../../engines/python-environment.ts";
import type { Omics } from "../omics.ts";
import type { Definition, NextflowNeeds, ParameterTemplate } from "../store.ts";
import { CreationFailed } from "./creation-failed.ts";
import { lintReport } from "./lint-report.ts";

interface Unread {
  readonly archive: string;
  /** Where the definition is unpacked for the engine. */
  readonly folder: string;
  unpack(): Promise<void>;
}

/**
 * What HealthOmics finds out about a definition: engine, main file, parameters, profiles, and what the linter of its
 * language says. That of WDL blocks, that of Nextflow informs, CWL has none.
 * @throws CreationFailed where it would become FAILED; BadArchive
 */
export async function readDefinition(omics: Omics, definition: Definition, unread: Unread): Promise<Partial<Definition>> {
  const tree = await openZip(unread.archive, { maxArchiveBytes: omics.quotas.zipInS3Bytes });
  const found = detected(tree, definition);
  const inspection = inspect(tree, found);
  const statusMessage = await messageOf(omics, { definition, unread, found, inspection });
  const template = definition.parameterTemplate ?? templateOf(inspection.parameterTemplate, definition);
  return {
    engine: definition.engine ?? found.engine,
    main: found.main,
    ...(inspection.name !== undefined && { entryName: inspection.name }),
    ...(template && { parameterTemplate: template }),
    ...(statusMessage !== "" && { statusMessage }),
    ...(found.engine === "NEXTFLOW" && { ...profilesOf(tree, found.main), nextflow: needsOf(tree, { main: found.main, inspection }) }),
  };
}

/** WDL_LENIENT is never found by itself: it has to be asked for. */
function detected(tree: SourceTree, { engine, main }: Definition): Detected {
  const asked: Engine | undefined = engine === "WDL_LENIENT" ? "WDL" : engine;
  const found = detect(tree, { ...(asked && { engine: asked }), ...(main !== undefined && { main }) });
  if (!isDetected(found)) throw new CreationFailed(found.message.charAt(0).toUpperCase() + found.message.slice(1));
  return found;
}

interface Found {
  readonly definition: Definition;
  readonly unread: Unread;
  readonly found: Detected;
  readonly inspection: Inspection;
}

async function messageOf(omics: Omics, { definition, unread, found, inspection }: Found): Promise<string> {
  if (found.engine === "NEXTFLOW") return inspection.languageVersion === "DSL1" ? "" : lintReport(inspection.diagnostics);
  if (found.engine === "CWL") return "";
  await unread.unpack();
  const checking = {
    owner: `omics/check/${definition.uuid}`,
    folder: unread.folder,
    main: found.main,
    isLenient: definition.engine === "WDL_LENIENT",
  };
  const check = await checkWdl(checking, omics.engines).catch((error: unknown) => {
    if (error instanceof EngineUnavailable) return checkWithout(inspection.diagnostics, error.message);
    throw error;
  });
  if (!check.isSound) throw new CreationFailed(check.message);
  return check.message;
}

/** Where there is no miniwdl, our own reader's errors block; what is missing is said. */
function checkWithout(diagnostics: readonly Diagnostic[], missing: string) {
  const errors = diagnostics.filter(({ severity, rule }) => severity === "error" && rule === "wdl-syntax");
  const lines = errors.map(({ file, line, column, message }) => `(${file} Ln ${line} Col ${column}) ${message}`);
  return { isSound: errors.length === 0, message: errors.length === 0 ? `Not checked by the engine: ${missing}` : lines.join("\n") };
}

/** A repository that names no template has none (guide, "Create a private workflow"). */
function templateOf(found: FoundTemplate, { source }: Definition): ParameterTemplate | undefined {
  const entries = Object.entries(source.kind === "repository" ? {} : found);
  return entries.length === 0 ? undefined : Object.fromEntries(entries.map(([name, entry]) => [name, templateEntry(entry)]));
}

const templateEntry = ({ description, optional }: FoundTemplate[string]): ParameterTemplate[string] => ({
  ...(description != null && { description }),
  ...(optional !== undefined && { optional }),
});

function needsOf(tree: SourceTree, { main, inspection }: { readonly main: string; readonly inspection: Inspection }): NextflowNeeds {
  const required = nextflowRequirement(tree, main);
  return { isDsl1: inspection.languageVersion === "DSL1", ...(required !== undefined && { required }) };
}

/** `manifest.nextflowVersion` of a pipeline. */
function nextflowRequirement(tree: SourceTree, main: string): string | undefined {
  const project = openProject(tree, main);
  const file = sourceOf(project, main);
  return file === undefined ? undefined : readManifest(project, loadPipeline(project, file).config).nextflowVersion;
}

function profilesOf(tree: SourceTree, main: string): Pick<Definition, "profiles" | "profileParameterTemplates"> {
  const profiles = nextflowProfiles(tree, main);
  if (profiles.length === 0) return {};
  const templates = Object.entries(nextflowProfileTemplates(tree, main)).map(([profile, template]) => [
    profile,
    Object.fromEntries(Object.entries(template).map(([name, entry]) => [name, templateEntry(entry)])),
  ]);
  return { profiles, profileParameterTemplates: Object.fromEntries(templates) as Readonly<Record<string, ParameterTemplate>> };
}
