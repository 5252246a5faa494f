import {
  CancelRunCommand,
  CreateRunGroupCommand,
  DeleteRunGroupCommand,
  GetRunCommand,
  GetRunGroupCommand,
  ListRunGroupsCommand,
  ListRunsCommand,
  UpdateRunGroupCommand,
} from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLab, type OmicsLab } from "./testing/omics.ts";

let lab: OmicsLab;
let sleeper: string;
let quick: string;
beforeAll(async () => {
  lab = await openLab();
  const task = (command: string) => ({ "main.wdl": `version 1.1\nworkflow W { call t }\ntask t { command <<< ${command} >>> }` });
  [sleeper, quick] = [await lab.workflow(task("sleep 300")), await lab.workflow(task("true"))];
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

const group = async (limits: object): Promise<string> => (await lab.omics.send(new CreateRunGroupCommand({ name: "g", ...limits }))).id!;
const status = async (id: string) => (await lab.omics.send(new GetRunCommand({ id }))).status;

async function until(id: string, wanted: string): Promise<void> {
  while ((await status(id)) !== wanted);
}

describe("run groups", () => {
  test("are made, read, changed, listed by name, and deleted", async () => {
    const { id = "", arn, tags } = await lab.omics.send(new CreateRunGroupCommand({ name: "mine", maxCpus: 8, maxRuns: 2 }));
    expect([arn, tags]).toEqual([`arn:aws:omics:us-east-1:111122223333:runGroup/${id}`, {}]);
    await lab.omics.send(new UpdateRunGroupCommand({ id, maxDuration: 60 }));
    expect(await lab.omics.send(new GetRunGroupCommand({ id }))).toMatchObject({
      name: "mine",
      maxCpus: 8,
      maxRuns: 2,
      maxDuration: 60,
      creationTime: expect.any(Date),
    });
    expect((await lab.omics.send(new ListRunGroupsCommand({ name: "mine" }))).items).toMatchObject([{ id }]);
    await lab.omics.send(new DeleteRunGroupCommand({ id }));
    await expect(lab.omics.send(new GetRunGroupCommand({ id }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("maxRuns holds runs back; the one with the higher priority goes first", { timeout: 60_000 }, async () => {
    const runGroupId = await group({ maxRuns: 1 });
    const first = await lab.start({ workflowId: sleeper, runGroupId });
    await until(first, "RUNNING");
    const low = await lab.start({ workflowId: quick, runGroupId, priority: 1 });
    const high = await lab.start({ workflowId: sleeper, runGroupId, priority: 9 });
    expect([await status(low), await status(high)]).toEqual(["PENDING", "PENDING"]);
    await expect(lab.omics.send(new DeleteRunGroupCommand({ id: runGroupId }))).rejects.toMatchObject({ name: "ConflictException" });
    await lab.omics.send(new CancelRunCommand({ id: first }));
    await until(high, "RUNNING");
    expect(await status(low)).toBe("PENDING");
    await lab.omics.send(new CancelRunCommand({ id: high }));
    expect(await lab.ended(low)).toMatchObject({ status: "COMPLETED", runGroupId });
    expect((await lab.omics.send(new ListRunsCommand({ runGroupId }))).items?.map(({ id }) => id)).toEqual([high, low, first]);
    expect((await lab.omics.send(new ListRunsCommand({ runGroupId, status: "COMPLETED" }))).items?.map(({ id }) => id)).toEqual([low]);
  });

  test("a run that waits can be cancelled", async () => {
    const runGroupId = await group({ maxRuns: 1 });
    const first = await lab.start({ workflowId: sleeper, runGroupId });
    const second = await lab.start({ workflowId: sleeper, runGroupId });
    await lab.omics.send(new CancelRunCommand({ id: second }));
    expect(await lab.ended(second)).toMatchObject({ status: "CANCELLED" });
    await lab.omics.send(new CancelRunCommand({ id: first }));
    expect(await lab.ended(first)).toMatchObject({ status: "CANCELLED" });
  });

  test("a group that is not there is refused", async () => {
    await expect(lab.start({ workflowId: quick, runGroupId: "123" })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});
