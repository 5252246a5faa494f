import type { EngineName } from "./engine.ts";
import { EngineUnavailable, pythonOf, type EnvironmentHost } from "./python-environment.ts";
import type { RunFolder } from "./run-folder.ts";

/** How an engine's process is started. */
export interface EngineCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** @throws EngineUnavailable when the engine can't be had on this machine */
export async function commandOf(engine: EngineName, folder: RunFolder, host: EnvironmentHost): Promise<EngineCommand> {
  if (engine !== "WDL") throw new EngineUnavailable(`no engine for ${engine} is there`);
  const python = await pythonOf("miniwdl", host);
  return { program: python, args: ["-m", "omx_engine.wdl", folder.root], environment: {} };
}
