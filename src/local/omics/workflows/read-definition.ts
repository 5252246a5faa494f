import { detect, isDetected, type Detected } from "../../../workflow/detect.ts";
import type { Diagnostic, Engine, Reading } from "../../../workflow/inspection.ts";
import { readWdl } from "../../../workflow/wdl/read.ts";
import { openZip } from "../../../workflow/zip-tree.ts";
import type { SourceTree } from "../../../workflow/source-tree.ts";
import { checkWdl, type EngineCheck } from "../../engines/check.ts";
import type { Omics } from "../omics.ts";
import type { Definition, ParameterTemplate } from "../store.ts";
import { CreationFailed } from "./creation-failed.ts";

interface Unread {
  readonly archive: string;
  /** Where the definition is unpacked for the engine. */
  readonly folder: string;
  unpack(): Promise<void>;
}

/**
 * What HealthOmics finds out about a definition: engine, main file, parameters, and what the engine's linter says.
 * @throws CreationFailed where it would become FAILED; BadArchive
 */
export async function readDefinition(omics: Omics, definition: Definition, unread: Unread): Promise<Partial<Definition>> {
  const tree = await openZip(unread.archive, { maxArchiveBytes: omics.quotas.zipInS3Bytes });
  const found = detected(tree, definition);
  const engine = definition.engine ?? found.engine;
  const reading = found.engine === "WDL" ? readWdl(tree, found.main) : undefined;
  const check = found.engine === "WDL" ? await checked(omics, { definition, unread, main: found.main }) : undefined;
  if (check?.isSound === false) throw new CreationFailed(check.message);
  const template = definition.parameterTemplate ?? templateOf(reading);
  const statusMessage = check?.message ?? "";
  const entryName = reading?.name;
  return { engine, main: found.main, ...(entryName !== undefined && { entryName }), ...(template && { parameterTemplate: template }), ...(statusMessage !== "" && { statusMessage }) };
}

/** WDL_LENIENT is never found by itself: it has to be asked for. */
function detected(tree: SourceTree, { engine, main }: Definition): Detected {
  const asked: Engine | undefined = engine === "WDL_LENIENT" ? "WDL" : engine;
  const found = detect(tree, { ...(asked && { engine: asked }), ...(main !== undefined && { main }) });
  if (!isDetected(found)) throw new CreationFailed(textOf(found));
  return found;
}

const textOf = ({ message }: Diagnostic): string => message.charAt(0).toUpperCase() + message.slice(1);

function templateOf(reading: Reading | undefined): ParameterTemplate | undefined {
  const entries = Object.entries(reading?.parameterTemplate ?? {});
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([name, { description, optional }]) => [name, { ...(description != null && { description }), ...(optional !== undefined && { optional }) }]));
}

interface Checking {
  readonly definition: Definition;
  readonly unread: Unread;
  readonly main: string;
}

async function checked(omics: Omics, { definition, unread, main }: Checking): Promise<EngineCheck> {
  await unread.unpack();
  const owner = `omics/check/${definition.uuid}`;
  return checkWdl({ owner, folder: unread.folder, main, isLenient: definition.engine === "WDL_LENIENT" }, omics.engines);
}
