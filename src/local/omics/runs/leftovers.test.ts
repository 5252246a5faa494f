import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelRunCommand, ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasNextflow } from "../../engines/testing/nextflow.ts";
import { startKillable } from "../testing/killable.ts";
import { furnish, type OmicsLab } from "../testing/omics.ts";

// A tool of each language that makes a temporary file, says where, and ends as its command says.
const making = (command: string) => ({
  WDL: {
    "main.wdl": `version 1.1\nworkflow W { call t output { File out = t.out } }\ntask t { command <<< mktemp > out.txt; ${command} >>> output { File out = "out.txt" } }`,
  },
  CWL: {
    "main.cwl": `{ cwlVersion: v1.2, class: CommandLineTool, requirements: { ShellCommandRequirement: {} }, arguments: [{ shellQuote: false, valueFrom: 'mktemp > out.txt; ${command}' }], inputs: {}, outputs: { out: { type: File, outputBinding: { glob: out.txt } } } }`,
  },
  NEXTFLOW: {
    "main.nf": `process T {\n publishDir '/mnt/workflow/pubdir'\n output: path 'out.txt'\n script: 'mktemp > out.txt; ${command}'\n}\nworkflow { T() | collectFile | view }`,
  },
});
const LANGUAGES = (["WDL", "CWL", "NEXTFLOW"] as const).filter((language) => language !== "NEXTFLOW" || hasNextflow());

describe("nothing is left of runs", { timeout: 240_000 }, () => {
  const usual = process.env["TMPDIR"];
  let temporary: string;
  beforeEach(() => {
    // What makes temporary files of its own in this process, or in the accounts', makes them here.
    temporary = process.env["TMPDIR"] = mkdtempSync(join(tmpdir(), "omx-leftovers-"));
  });
  afterEach(() => {
    if (usual === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = usual;
    rmSync(temporary, { recursive: true, force: true });
  });

  test.each(LANGUAGES)("%s: completed, failed, cancelled, and killed with the accounts", async (language) => {
    {
      await using accounts = await startKillable();
      const lab = await furnish(accounts);
      const run = async (command: string) => lab.start({ workflowId: await lab.workflow(making(command)[language]) });
      const [completed, failed, cancelled, killed] = [await run("true"), await run("exit 3"), await run("sleep 600"), await run("sleep 2")];
      expect(await lab.ended(completed)).toMatchObject({ status: "COMPLETED" });
      expect(await lab.ended(failed)).toMatchObject({ status: "FAILED" });
      await running(lab, cancelled);
      await lab.omics.send(new CancelRunCommand({ id: cancelled }));
      await accounts.kill();
      await accounts.start();
      expect(await lab.ended(killed)).toMatchObject({ status: "COMPLETED" });
      expect(await lab.ended(cancelled)).toMatchObject({ status: "CANCELLED" });
      const made = (await lab.get(`runs/${completed}/${language === "NEXTFLOW" ? "pubdir" : "out/out"}/out.txt`)).trim();
      expect(made.startsWith(accounts.dataDir)).toBe(true);
      await expect.poll(() => left(accounts.dataDir), { timeout: 60_000, interval: 200 }).toEqual([]);
    }
    expect(readdirSync(temporary)).toEqual([]);
  });
});

async function running(lab: OmicsLab, id: string): Promise<void> {
  for (let status; status !== "RUNNING";) status = (await lab.omics.send(new ListRunTasksCommand({ id }))).items?.[0]?.status;
}

/** What lies in the data folder for the time of a run. */
function left(dataDir: string): readonly string[] {
  const work = join(dataDir, "work");
  return ["omics", "engines"].flatMap((part) => (existsSync(join(work, part)) ? readdirSync(join(work, part)) : []));
}
