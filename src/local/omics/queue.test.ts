import { CancelRunCommand, GetRunCommand, ListRunsCommand, StartRunCommand } from "@aws-sdk/client-omics";
import { expect, test } from "vitest";
import { openLab } from "./testing/omics.ts";

test("two hundred runs wait without slowing the API", { timeout: 120_000 }, async () => {
  await using lab = await openLab();
  const workflowId = await lab.workflow({ "main.wdl": "version 1.1\nworkflow W { call t }\ntask t { command <<< sleep 600 >>> }" });
  const start = (index: number) => lab.omics.send(new StartRunCommand({ workflowId, roleArn: lab.roleArn, outputUri: "s3://lab-bucket/runs", name: `r${index}` }));
  const ids = (await Promise.all(Array.from({ length: 200 }, (_, index) => start(index)))).map(({ id = "" }) => id);
  const status = async (id: string) => (await lab.omics.send(new GetRunCommand({ id }))).status;
  const [first = "", last = ""] = [ids.toSorted()[0], ids.toSorted().at(-1)];
  while ((await status(first)) !== "RUNNING");
  expect(await status(last)).toBe("PENDING");
  const pending = await lab.omics.send(new ListRunsCommand({ status: "PENDING", maxResults: 100 }));
  expect([pending.items?.length, pending.nextToken !== undefined]).toEqual([100, true]);
  await Promise.all(ids.toSorted().reverse().map((id) => lab.omics.send(new CancelRunCommand({ id }))));
  for (const id of ids) expect(await lab.ended(id)).toMatchObject({ status: "CANCELLED" });
});
