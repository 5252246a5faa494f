import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nextflowOf } from "../../src/local/engines/nextflow-environment.ts";
import { pythonOf, type EnvironmentHost } from "../../src/local/engines/python-environment.ts";
import type { Language, Workflow } from "./workflows.ts";

export type Where = "docker" | "host";

/** The engines alone, from the environments that the local accounts use, as their manuals tell to start them. */
export interface BareEngine {
  /** Undefined where the engine can't do that: miniwdl has no way to run tasks on the host. */
  run(language: Language, where: Where, workflow: Workflow): Promise<void>;
  can(language: Language, where: Where): boolean;
  /** miniwdl makes a swarm of the machine's Docker: it is dissolved where there was none. */
  close(): void;
}

export async function bareEngines(host: EnvironmentHost, text: string): Promise<BareEngine> {
  const [miniwdl, cwltool, nextflow] = [await pythonOf("miniwdl", host), await pythonOf("cwltool", host), await nextflowOf(host)];
  const home = mkdtempSync(join(tmpdir(), "omx-bench-nextflow-"));
  const commands: Readonly<Record<Language, (where: Where, folder: string, workflow: Workflow) => readonly string[]>> = {
    WDL: (_, folder, { main }) => [
      miniwdl,
      "-m",
      "WDL",
      "run",
      join(folder, main),
      "--input",
      join(folder, "parameters.json"),
      "--dir",
      join(folder, "run"),
      "--no-color",
      "--error-json",
    ],
    CWL: (where, folder, { main }) => [
      cwltool,
      "-m",
      "cwltool",
      "--parallel",
      "--outdir",
      join(folder, "run"),
      ...(where === "docker" ? ["--disable-pull"] : ["--no-container"]),
      join(folder, main),
      join(folder, "parameters.json"),
    ],
    NEXTFLOW: (where, folder, { main }) => [
      ...nextflow.command,
      "run",
      join(folder, main),
      "-ansi-log",
      "false",
      "-params-file",
      join(folder, "parameters.json"),
      ...(where === "docker" ? ["-c", join(folder, "docker.config")] : ["-c", join(folder, "host.config")]),
    ],
  };
  const hadSwarm = hasSwarm();
  return {
    close() {
      rmSync(home, { recursive: true, force: true });
      if (!hadSwarm && hasSwarm()) execFileSync("docker", ["swarm", "leave", "--force"], { stdio: "ignore" });
    },
    can: (language, where) => language !== "WDL" || where === "docker",
    async run(language, where, workflow) {
      const folder = mkdtempSync(join(tmpdir(), "omx-bench-bare-"));
      mkdirSync(join(folder, "run"));
      for (const [name, written] of Object.entries(workflow.files))
        writeFileSync(join(folder, name), written.replaceAll("/mnt/workflow/pubdir", join(folder, "run")));
      writeFileSync(join(folder, "parameters.json"), JSON.stringify(workflow.parameters(text)));
      writeFileSync(join(folder, "docker.config"), "docker.enabled = true\n");
      writeFileSync(join(folder, "host.config"), "docker.enabled = false\n");
      await ended(commands[language](where, folder, workflow), folder, {
        ...host.environment,
        TMPDIR: folder,
        NXF_HOME: home,
        NXF_OFFLINE: "true",
        NXF_DISABLE_CHECK_LATEST: "true",
      });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function hasSwarm(): boolean {
  try {
    return (
      execFileSync("docker", ["info", "--format", "{{.Swarm.LocalNodeState}}"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim() === "active"
    );
  } catch {
    return false;
  }
}

function ended([program = "", ...args]: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (said = (said + data.toString()).slice(-4000)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}: ${said}`))));
  });
}
