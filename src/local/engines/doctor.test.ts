import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { diagnoseEngines } from "./doctor.ts";
import { engineHost, openStage } from "./testing/run-engine.ts";

const { folder, close } = openStage();
afterAll(close);

test("a machine with nothing on its PATH is told what to install, line by line", async () => {
  const empty = mkdtempSync(join(folder, "empty-"));
  const reports = await diagnoseEngines({ ...engineHost(folder), environment: { PATH: empty } });
  expect(reports.map(({ engine }) => engine)).toEqual(["WDL", "CWL", "Nextflow", "containers"]);
  expect(reports.at(-1)).toMatchObject({ state: "missing", says: expect.stringContaining("apt-get install docker.io") });
  expect(reports[2]).toMatchObject({ state: "missing", says: expect.stringContaining("openjdk-17") });
});

test("this machine has an answer for every engine", async () => {
  for (const { state, says } of await diagnoseEngines(engineHost(folder))) {
    expect(["ready", "on first use", "missing"]).toContain(state);
    expect(says).not.toBe("");
  }
});
