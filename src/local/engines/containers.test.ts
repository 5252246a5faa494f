import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TaskRequest } from "./engine.ts";
import { hasDocker, importHostImage, podmanEnvironment } from "./testing/docker.ts";
import { openStage, type Rehearsal } from "./testing/run-engine.ts";

const { rehearse, file, folder, close } = openStage();
afterAll(close);

const IMAGE = "omx-test:host";
const UUID = "11111111-2222-3333-4444-555555555555";

const one = (command: string, outputs = "", runtime = "") => ({
  "main.wdl": `version 1.1
workflow W { call t  output { ${outputs.replaceAll(/= .*$/gm, "").replace(/^(\w+) (\w+) $/, "$1 $2 = t.$2")} } }
task t { command <<< ${command} >>>  output { ${outputs} } runtime { docker: "quay.io/bash:5" ${runtime} } }`,
});

const granted = (program: "docker" | "podman") => (request: TaskRequest) => ({
  containers: program,
  executable: program,
  run: "rehearsal-of-containers",
  network: "none",
  cpus: Math.min(request.cpus, 1),
  memoryBytes: request.memoryBytes,
  image: { reference: IMAGE, digest: "sha256:0" },
  environment: { AWS_WORKFLOW_RUN_UUID: UUID },
});

const inDocker = (play: Rehearsal) => rehearse({ containers: "docker", grant: granted("docker"), ...play });

const PODMAN = podmanEnvironment(IMAGE, folder);
// Podman answers on some machines without being able to run anything; the gate has one that can.
const PROGRAMS = [
  { program: "docker" as const, isThere: hasDocker(), environment: {} },
  ...(PODMAN || process.env["CI"] ? [{ program: "podman" as const, isThere: true, environment: PODMAN ?? {} }] : []),
];

beforeAll(() => hasDocker() && importHostImage(IMAGE), 120_000);

describe.skipIf(!hasDocker())("CWL in containers", { timeout: 180_000 }, () => {
  test("a tool reads its inputs, writes its outputs and has no network", async () => {
    const tool = `
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c]
arguments: ["pwd; ls /sys/class/net; cat $(inputs.text.path) > copy.txt"]
requirements: { DockerRequirement: { dockerPull: "quay.io/bash:5" }, ResourceRequirement: { ramMin: 256 } }
inputs: { text: File }
stdout: said.txt
outputs: { said: stdout, copy: { type: File, outputBinding: { glob: copy.txt } } }
`;
    const text = file("text.txt", "hello\n");
    const { result } = await inDocker({
      engine: "CWL",
      main: "main.cwl",
      files: { "main.cwl": tool },
      inputs: { text: { class: "File", location: "s3://data/text.txt" } },
      bring: () => ({ paths: { "s3://data/text.txt": text } }),
    });
    expect(result).toMatchObject({ outcome: "completed" });
    const outputs = (result.outcome === "completed" ? result.outputs : {}) as Record<string, { location: string }>;
    expect(readFileSync(outputs["said"]!.location, "utf8").split("\n").slice(1)).toEqual(["lo", ""]);
    expect(readFileSync(outputs["copy"]!.location, "utf8")).toBe("hello\n");
  });
});

describe.each(PROGRAMS)("WDL in containers of $program", { timeout: 180_000 }, ({ program, isThere, environment }) => {
  const contained = granted(program);
  const inContainers = (play: Rehearsal) => rehearse({ containers: program, environment, grant: contained, ...play });
  beforeEach(({ skip }) => skip(!isThere, `${program} does not run containers here`));

  test("a task sees the run's folder, its environment and no network", async () => {
    const command = `pwd; echo "$AWS_WORKFLOW_RUN_UUID"; ls /sys/class/net; touch /tmp/x`;
    const { result } = await inContainers({ files: one(command, "File said = stdout()") });
    expect(result).toMatchObject({ outcome: "completed" });
    const said = result.outcome === "completed" ? readFileSync(result.outputs["W.said"] as string, "utf8") : "";
    expect(said.split("\n")).toEqual([`/mnt/workflow/${UUID}/workdir/work`, UUID, "lo", ""]);
  });

  test("a task over its memory is killed and says so", async () => {
    const { result, events } = await inContainers({
      files: one(`python3 -c "b = bytearray(400 * 1024 * 1024)"`, "", 'memory: "64 MiB"'),
    });
    expect(events.find((event) => event.type === "task.ended")).toMatchObject({
      outcome: "failed",
      code: "OUT_OF_MEMORY_ERROR",
      exitCode: 137,
    });
    expect(result).toMatchObject({ outcome: "failed", code: "RUN_TASK_FAILED" });
  });

  test("a task whose image has no shell can't start, in the engine's own words", async () => {
    const { events } = await inContainers({
      files: one("echo hi"),
      grant: (request) => ({ ...contained(request), image: { reference: "omx-test:absent", digest: "sha256:0" } }),
    });
    expect(events.find((event) => event.type === "task.ended")).toMatchObject({
      outcome: "failed",
      code: "CANNOT_START_CONTAINER_ERROR",
      message: expect.stringContaining("absent"),
    });
  });

  test("cancelling removes the container", async () => {
    const { result, events } = await inContainers({
      files: one("sleep 600"),
      onEvent: async (event, engine) => {
        if (event.type === "task.started") void engine.cancel();
      },
    });
    expect(result).toEqual({ outcome: "cancelled" });
    const started = events.find((event) => event.type === "task.started");
    // The engine says how the run ended before its last container is gone.
    const left = () => execFileSync(program, ["ps", "-aq", "--filter", `name=${started?.container ?? "?"}`], { encoding: "utf8" });
    await expect.poll(left, { timeout: 60_000, interval: 100 }).toBe("");
  });
});
