import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { DeleteRunCommand } from "@aws-sdk/client-omics";
import { expect, test } from "vitest";
import { openLab } from "./testing/omics.ts";

const GROUP = "/aws/events/omics";

test("runs, tasks and workflows tell EventBridge of every status", { timeout: 60_000 }, async () => {
  await using lab = await openLab();
  const [events, logs] = [new EventBridgeClient(lab.config), new CloudWatchLogsClient(lab.config)];
  await logs.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
  await events.send(new PutRuleCommand({ Name: "omics", EventPattern: JSON.stringify({ source: ["aws.omics"] }) }));
  await events.send(
    new PutTargetsCommand({ Rule: "omics", Targets: [{ Id: "logs", Arn: `arn:aws:logs:us-east-1:111122223333:log-group:${GROUP}` }] }),
  );
  const workflowId = await lab.workflow({ "main.wdl": "version 1.1\nworkflow W { call t }\ntask t { command <<< true >>> }" });
  const id = await lab.start({ workflowId, name: "told" });
  const run = await lab.ended(id);
  await lab.omics.send(new DeleteRunCommand({ id }));
  interface Told {
    readonly "detail-type": string;
    readonly detail: Readonly<Record<string, string>>;
    readonly resources: readonly string[];
  }
  let told: Told[] = [];
  while (!told.some(({ detail }) => detail["status"] === "DELETED")) {
    const { events: lines = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: GROUP }));
    told = lines.map(({ message = "" }) => JSON.parse(message) as Told);
  }
  const statuses = (type: string) =>
    told
      .filter((event) => event["detail-type"] === type)
      .map(({ detail }) => detail["status"])
      .toSorted(); // EventBridge keeps no order
  expect(statuses("Workflow Status Change")).toEqual(["ACTIVE"]);
  expect(statuses("Run Status Change")).toEqual(["COMPLETED", "DELETED", "PENDING", "RUNNING", "STARTING", "STOPPING"]);
  expect(statuses("Task Status Change")).toEqual(["COMPLETED", "PENDING", "RUNNING", "STARTING"]);
  expect(told.find((event) => event["detail-type"] === "Run Status Change")).toMatchObject({
    source: "aws.omics",
    account: "111122223333",
    resources: [run.arn],
    detail: {
      omicsVersion: "1.0.0",
      arn: run.arn,
      uuid: run.uuid,
      runId: id,
      runName: "told",
      runOutputUri: run.runOutputUri,
      workflowId,
      workflowName: "lab",
    },
  });
  expect(told.find((event) => event["detail-type"] === "Task Status Change")).toMatchObject({
    detail: { runArn: run.arn, runUuid: run.uuid, runId: id, workflowId },
  });
});
