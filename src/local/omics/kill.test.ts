import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CreateWorkflowCommand, ListRunsCommand, ListRunTasksCommand } from "@aws-sdk/client-omics";
import { expect, test } from "vitest";
import { startKillable } from "./testing/killable.ts";
import { furnish, zipOf } from "./testing/omics.ts";

const slow = (log: string) => `version 1.1
workflow W { call first call second { input: after = first.out } output { File out = second.out } }
task first { command <<< echo first >> ${log}; sleep 2; echo 1 > out.txt >>> output { File out = "out.txt" } }
task second { input { File after } command <<< echo second >> ${log}; cat ~{after} > out.txt >>> output { File out = "out.txt" } }`;

test("the accounts are killed while a task runs: the engine is adopted, and no task runs twice", { timeout: 120_000 }, async () => {
  await using accounts = await startKillable();
  const lab = await furnish(accounts);
  const log = join(accounts.dataDir, "log-of-tasks");
  const id = await lab.start({ workflowId: await lab.workflow({ "main.wdl": slow(log) }) });
  while (!existsSync(log)) await lab.omics.send(new ListRunTasksCommand({ id }));
  await accounts.kill();
  await accounts.start();
  expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
  expect(await lab.get(`runs/${id}/out/out/out.txt`)).toBe("1\n");
  expect(readFileSync(log, "utf8")).toBe("first\nsecond\n");
  const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
  expect(items.map(({ name, status }) => [name, status])).toEqual([
    ["second", "COMPLETED"],
    ["first", "COMPLETED"],
  ]);
});

test("the accounts are killed again and again: one run, completed, each task once", { timeout: 180_000 }, async () => {
  await using accounts = await startKillable();
  const lab = await furnish(accounts);
  const log = join(accounts.dataDir, "log-of-tasks");
  const id = await lab.start({ workflowId: await lab.workflow({ "main.wdl": slow(log) }), requestId: "only-one" });
  for (let kills = 0; kills < 6; kills++) {
    await accounts.kill();
    await accounts.start();
  }
  expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
  expect(readFileSync(log, "utf8")).toBe("first\nsecond\n");
  expect((await lab.omics.send(new ListRunsCommand({}))).items?.length).toBe(1);
});

test("a definition that was being read is read again", { timeout: 120_000 }, async () => {
  await using accounts = await startKillable();
  const lab = await furnish(accounts);
  const { id = "" } = await lab.omics.send(
    new CreateWorkflowCommand({ definitionZip: zipOf({ "main.wdl": "version 1.1\nworkflow W {}" }) }),
  );
  await accounts.kill();
  await accounts.start();
  expect(await lab.settled(id)).toMatchObject({ status: "ACTIVE" });
});
