import { existsSync } from "node:fs";
import { findContainerEngine } from "./container-engine.ts";
import type { Containers } from "./engine.ts";
import type { EngineHost } from "./launch.ts";
import { findNextflow } from "./nextflow-environment.ts";
import { EngineUnavailable, presentPython, pythonWithVenv } from "./python-environment.ts";

/** What there is of an engine on this machine. */
export interface EngineReport {
  readonly engine: "WDL" | "CWL" | "Nextflow" | "containers";
  /** `ready`: it runs at once; `on first use`: it is fetched when a workflow needs it; `missing`: something is to be installed. */
  readonly state: "ready" | "on first use" | "missing";
  /** One line: what runs, or what to do. */
  readonly says: string;
}

/** What runs workflows here, and what to do about what is missing. Fetches nothing. */
export async function diagnoseEngines(host: EngineHost): Promise<readonly EngineReport[]> {
  const [wdl, cwl] = [await pythonReport("WDL", "miniwdl", host), await pythonReport("CWL", "cwltool", host)];
  return [wdl, cwl, await nextflowReport(host), containersReport(await findContainerEngine(host))];
}

async function pythonReport(engine: "WDL" | "CWL", program: "miniwdl" | "cwltool", host: EngineHost): Promise<EngineReport> {
  const present = presentPython(program, host);
  if (present !== undefined && existsSync(present)) return { engine, state: "ready", says: `${program} in a private environment` };
  try {
    return { engine, state: "on first use", says: `${program} is fetched for ${await pythonWithVenv(host)} when a workflow needs it` };
  } catch (error) {
    if (error instanceof EngineUnavailable) return { engine, state: "missing", says: error.message };
    throw error;
  }
}

async function nextflowReport(host: EngineHost): Promise<EngineReport> {
  try {
    const { state, says } = await findNextflow(host);
    return { engine: "Nextflow", state, says };
  } catch (error) {
    if (error instanceof EngineUnavailable) return { engine: "Nextflow", state: "missing", says: error.message };
    throw error;
  }
}

const containersReport = (found: Containers): EngineReport =>
  found === "host"
    ? {
        engine: "containers",
        state: "missing",
        says: "neither Docker nor Podman answers: tasks run on the host, not isolated; on Debian and Ubuntu apt-get install docker.io",
      }
    : { engine: "containers", state: "ready", says: `tasks run in ${found}` };
