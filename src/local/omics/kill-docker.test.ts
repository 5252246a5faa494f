import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { CancelRunCommand, GetRunCommand, ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasDocker } from "../engines/testing/docker.ts";
import { hasNextflow } from "../engines/testing/nextflow.ts";
import { startKillable } from "./testing/killable.ts";
import { furnish, openLab, type OmicsLab } from "./testing/omics.ts";

const PATIENCE = { timeout: 120_000, interval: 200 };

const DEFINITIONS = {
  WDL: { "main.wdl": "version 1.1\nworkflow W { call t }\ntask t { command <<< sleep 600 >>> }" },
  CWL: { "main.cwl": "{ cwlVersion: v1.2, class: CommandLineTool, baseCommand: [sleep, '600'], inputs: {}, outputs: {} }" },
  NEXTFLOW: { "main.nf": "process LONG { script: 'sleep 600' }\nworkflow { LONG() }" },
};
type Language = keyof typeof DEFINITIONS;
const LANGUAGES = (Object.keys(DEFINITIONS) as readonly Language[]).filter((language) => language !== "NEXTFLOW" || hasNextflow());

const SHORT = {
  "main.wdl": `version 1.1
workflow W { call t output { File out = t.out } }
task t { command <<< sleep 3; echo done > out.txt >>> output { File out = "out.txt" } }`,
};

/** Containers of a run, running or not. */
const containersOf = (uuid: string): string =>
  execFileSync("docker", ["ps", "--all", "--quiet", "--filter", `label=omx.run=${uuid}`], { encoding: "utf8" }).trim();

/** Processes that name the folder on their command line: engines, what they started, Docker's clients. */
function processesOf(folder: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandOf(pid).includes(folder) && !commandOf(pid).includes("accounts-process"));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

interface Started {
  readonly id: string;
  readonly uuid: string;
}

async function start(lab: OmicsLab, files: Readonly<Record<string, string>>): Promise<Started> {
  const id = await lab.start({ workflowId: await lab.workflow(files) });
  const { uuid = "" } = await lab.omics.send(new GetRunCommand({ id }));
  return { id, uuid };
}

const statusOfTask = async (lab: OmicsLab, id: string) => (await lab.omics.send(new ListRunTasksCommand({ id }))).items?.[0]?.status;

async function withContainer(lab: OmicsLab, files: Readonly<Record<string, string>>): Promise<Started> {
  const run = await start(lab, files);
  await expect.poll(() => containersOf(run.uuid), PATIENCE).not.toBe("");
  return run;
}

const expectNothingLeft = async (folder: string, uuid: string): Promise<void> => {
  await expect.poll(() => [containersOf(uuid), processesOf(folder).map(commandOf)], PATIENCE).toEqual(["", []]);
};

describe.skipIf(!hasDocker())("runs whose tasks are containers", { timeout: 240_000 }, () => {
  test("the accounts are killed: the engine goes on in its one container, and is followed to its end", async () => {
    await using accounts = await startKillable("docker");
    const lab = await furnish(accounts);
    const { id, uuid } = await withContainer(lab, SHORT);
    const before = containersOf(uuid);
    await accounts.kill();
    await accounts.start();
    expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
    expect(before.split("\n").length).toBe(1);
    expect(await lab.get(`runs/${id}/out/out/out.txt`)).toBe("done\n");
    expect((await lab.omics.send(new ListRunTasksCommand({ id }))).items).toMatchObject([{ name: "t", status: "COMPLETED" }]);
    await expectNothingLeft(accounts.dataDir, uuid);
  });

  // Nextflow where there is one: it leaves most behind.
  test("the accounts and the engine are killed: the run has failed, and nothing of it is left", async () => {
    await using accounts = await startKillable("docker");
    const lab = await furnish(accounts);
    const { id, uuid } = await withContainer(lab, DEFINITIONS[LANGUAGES.at(-1) ?? "WDL"]);
    await accounts.kill();
    killEngines(uuid);
    await accounts.start();
    expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "WORKFLOW_RUN_FAILED" });
    await expectNothingLeft(accounts.dataDir, uuid);
  });

  describe("while the accounts live", () => {
    let lab: OmicsLab;
    beforeAll(async () => {
      lab = await openLab({ containers: "docker" });
    }, 120_000);
    afterAll(() => lab[Symbol.asyncDispose]());

    test("engines are killed: the runs have failed, and nothing of them is left", async () => {
      await inEachLanguage(async (files) => {
        const { id, uuid } = await withContainer(lab, files);
        killEngines(uuid);
        expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "WORKFLOW_RUN_FAILED" });
        await expectNothingLeft(uuid, uuid);
      });
    });

    test("runs are cancelled before their containers are there, and none comes", async () => {
      await inEachLanguage(async (files) => {
        const run = await start(lab, files);
        while ((await statusOfTask(lab, run.id)) === undefined);
        await expectCancelled(lab, run);
      });
    });

    test("runs are cancelled while their containers run", async () => {
      await inEachLanguage(async (files) => expectCancelled(lab, await withContainer(lab, files)));
    });
  });
});

// One after the other: a machine may have room for one task alone.
async function inEachLanguage(play: (files: Readonly<Record<string, string>>) => Promise<void>): Promise<void> {
  for (const language of LANGUAGES) await play(DEFINITIONS[language]);
}

function killEngines(folder: string): void {
  for (const pid of processesOf(folder).filter((one) => / -m omx_engine\.(wdl|cwl|nextflow) /.test(commandOf(one))))
    process.kill(pid, "SIGKILL");
}

async function expectCancelled(lab: OmicsLab, { id, uuid }: Started): Promise<void> {
  await lab.omics.send(new CancelRunCommand({ id }));
  expect(await lab.ended(id)).toMatchObject({ status: "CANCELLED" });
  expect(await statusOfTask(lab, id)).toBe("CANCELLED");
  await expectNothingLeft(uuid, uuid);
}
