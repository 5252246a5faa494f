import { CancelRunCommand, CreateRunGroupCommand, GetRunCommand, ListRunsCommand, StartRunCommand } from "@aws-sdk/client-omics";
import { expect, test } from "vitest";
import { openLab } from "./testing/omics.ts";

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

test("two hundred runs wait for one, each without a timer or a look of its own, and can be cancelled", { timeout: 240_000 }, async () => {
  await using lab = await openLab();
  const workflowId = await lab.workflow({ "main.wdl": "version 1.1\nworkflow W { call t }\ntask t { command <<< sleep 600 >>> }" });
  const { id: runGroupId } = await lab.omics.send(new CreateRunGroupCommand({ maxRuns: 1 }));
  const input = { workflowId, runGroupId, roleArn: lab.roleArn, outputUri: "s3://lab-bucket/runs" };
  const start = async () => (await lab.omics.send(new StartRunCommand(input))).id ?? "";
  const status = async (id: string) => (await lab.omics.send(new GetRunCommand({ id }))).status;
  const first = await start();
  while ((await status(first)) !== "RUNNING");
  const timersOfOne = timers();
  const waiting: string[] = [];
  for (let count = 0; count < 200; count++) waiting.push(await start());
  expect(timers() - timersOfOne).toBeLessThan(20);
  expect(await status(waiting[0] ?? "")).toBe("PENDING");
  const page = await lab.omics.send(new ListRunsCommand({ status: "PENDING", maxResults: 100 }));
  expect(page.items?.map(({ id }) => id)).toEqual(waiting.toReversed().slice(0, 100));
  const rest = await lab.omics.send(new ListRunsCommand({ status: "PENDING", maxResults: 100, startingToken: page.nextToken }));
  expect([rest.items?.length, rest.nextToken]).toEqual([100, undefined]);
  for (const id of waiting) await lab.omics.send(new CancelRunCommand({ id }));
  for (const id of waiting) expect(await lab.ended(id)).toMatchObject({ status: "CANCELLED" });
  expect(await status(first)).toBe("RUNNING");
  await lab.omics.send(new CancelRunCommand({ id: first }));
  expect(await lab.ended(first)).toMatchObject({ status: "CANCELLED" });
});
