import type { EngineName } from "./engine.ts";
import { nextflowOf } from "./nextflow-environment.ts";
import { pythonOf, type EnvironmentHost } from "./python-environment.ts";
import type { RunFolder } from "./run-folder.ts";

/** How an engine's process is started. */
export interface EngineCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** The words that start the engine itself, where the program is ours around it. */
  readonly engine?: readonly string[];
}

/** Nextflow runs beside our own Python, which lives in miniwdl's environment. */
const MODULES = {
  WDL: { environment: "miniwdl", module: "omx_engine.wdl" },
  CWL: { environment: "cwltool", module: "omx_engine.cwl" },
  NEXTFLOW: { environment: "miniwdl", module: "omx_engine.nextflow" },
} as const;

/** @throws EngineUnavailable when the engine can't be had on this machine */
export async function commandOf(engine: EngineName, folder: RunFolder, host: EnvironmentHost): Promise<EngineCommand> {
  const { environment, module } = MODULES[engine];
  const program = await pythonOf(environment, host);
  const started = engine === "NEXTFLOW" ? (await nextflowOf(host)).command : undefined;
  return { program, args: ["-m", module, folder.root], ...(started && { engine: started }) };
}
