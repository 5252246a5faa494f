import type { EngineName } from "./engine.ts";
import { EngineUnavailable, pythonOf, type EnvironmentHost } from "./python-environment.ts";
import type { RunFolder } from "./run-folder.ts";

/** How an engine's process is started. */
export interface EngineCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const PYTHON_ENGINES = {
  WDL: { name: "miniwdl", module: "omx_engine.wdl" },
  CWL: { name: "cwltool", module: "omx_engine.cwl" },
} as const;

/** @throws EngineUnavailable when the engine can't be had on this machine */
export async function commandOf(engine: EngineName, folder: RunFolder, host: EnvironmentHost): Promise<EngineCommand> {
  if (engine === "NEXTFLOW") throw new EngineUnavailable(`no engine for ${engine} is there`);
  const { name, module } = PYTHON_ENGINES[engine];
  return { program: await pythonOf(name, host), args: ["-m", module, folder.root], environment: {} };
}
