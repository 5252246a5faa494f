import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diagnoseEngines } from "./doctor.ts";
import { engineHost } from "./testing/run-engine.ts";

test("a machine with nothing on its PATH is told what to install, line by line", async () => {
  const empty = mkdtempSync(join(tmpdir(), "omx-empty-"));
  const reports = await diagnoseEngines({ ...engineHost(), environment: { PATH: empty } });
  expect(reports.map(({ engine }) => engine)).toEqual(["WDL", "CWL", "Nextflow", "containers"]);
  expect(reports.at(-1)).toMatchObject({ state: "missing", says: expect.stringContaining("apt-get install docker.io") });
  expect(reports[2]).toMatchObject({ state: "missing", says: expect.stringContaining("openjdk-17") });
});

test("this machine has an answer for every engine", async () => {
  for (const { state, says } of await diagnoseEngines(engineHost())) {
    expect(["ready", "on first use", "missing"]).toContain(state);
    expect(says).not.toBe("");
  }
});
