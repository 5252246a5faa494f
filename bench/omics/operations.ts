import { parseArgs } from "node:util";
import { CancelRunCommand, CreateRunGroupCommand, CreateWorkflowVersionCommand, ListRunTasksCommand } from "@aws-sdk/client-omics";
import { errors, operations } from "../../src/model/generated/tables.ts";
import type { OperationName } from "../../src/model/validate.ts";
import { type GeneratedRequest, isServed, names, requestsOf } from "../../src/local/omics/testing/generated-requests.ts";
import { furnish, zipOf } from "../../src/local/omics/testing/omics.ts";
import { requestOf, sendRaw, type RawAnswer } from "../../src/local/omics/testing/raw.ts";
import { startAccounts } from "../../src/local/testing/accounts.ts";
import { type Existing, onExisting } from "./existing.ts";

// node bench/omics/operations.ts [--rounds 50]
// Operations × (accepted, refused, error type): for each operation so many requests that the model accepts, every other one of
// them naming what is there, and so many that it refuses. Exit code 1 for a 5xx but the 501 of an operation that is not
// built, a refusal of an error type that the operation's model does not have, and an invalid request that is let pass.
const { values } = parseArgs({ options: { rounds: { type: "string", default: "50" } } });
const rounds = Number(values.rounds);

const WDL = `version 1.1
workflow W { input { Int seconds = 0 } call t { input: seconds = seconds } }
task t { input { Int seconds } command <<< sleep ~{seconds} >>> }`;

await using accounts = await startAccounts();
const lab = await furnish(accounts);
const there = await existing();
const blocking = await lab.start({ workflowId: there.workflowId, runGroupId: there.groupId, parameters: { seconds: 3600 } });

async function existing(): Promise<Existing> {
  const workflowId = await lab.workflow({ "main.wdl": WDL });
  const versionName = "1.0.0";
  await lab.omics.send(new CreateWorkflowVersionCommand({ workflowId, versionName, definitionZip: zipOf({ "main.wdl": WDL }) }));
  await lab.settledVersion(workflowId, versionName);
  const runId = await lab.start({ workflowId });
  await lab.ended(runId);
  const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id: runId }));
  // One run of it holds up all others, so that they wait and cost nothing.
  const { id: groupId = "" } = await lab.omics.send(new CreateRunGroupCommand({ maxRuns: 1 }));
  const definitionZip = Buffer.from(zipOf({ "main.wdl": "no workflow" })).toString("base64");
  return {
    workflowId,
    versionName,
    runId,
    groupId,
    definitionZip,
    taskId: items[0]?.taskId ?? "",
    roleArn: lab.roleArn,
    outputUri: `s3://${lab.bucket}/runs`,
    spare: { workflows: [], groups: [], runs: [] },
  };
}

const send = (operation: OperationName, input: GeneratedRequest): Promise<RawAnswer> => sendRaw(accounts, requestOf(operation, input));

/** What was made can be cancelled or deleted later. */
function keep(operation: OperationName, body: string): void {
  const of = { CreateWorkflow: there.spare.workflows, CreateRunGroup: there.spare.groups, StartRun: there.spare.runs }[operation as string];
  of?.push((JSON.parse(body) as { readonly id: string }).id);
}

interface Row {
  readonly operation: OperationName;
  readonly valid: number;
  readonly accepted: number;
  /** How often each error type answered requests that the model accepts. */
  readonly refused: ReadonlyMap<string, number>;
  readonly invalid: number;
  readonly invalidRefused: number;
  readonly defects: readonly string[];
}

async function rowOf(operation: OperationName): Promise<Row> {
  const { valid, invalid } = requestsOf(operation, rounds);
  const refused = new Map<string, number>();
  const defects: string[] = [];
  let accepted = 0;
  for (const [index, input] of valid.entries()) {
    const { status, type, body } = await send(operation, index % 2 === 0 ? onExisting(operation, input, there) : input);
    const name = type ?? String(status);
    if (status === operations[operation].status) {
      accepted++;
      keep(operation, body);
    } else refused.set(name, (refused.get(name) ?? 0) + 1);
    const isExpected = isServed(operation)
      ? status < 500 && (status === operations[operation].status || name in errors) && !body.includes("validation error")
      : status === 501;
    if (!isExpected) defects.push(`${operation} ${status} ${name} ${body.slice(0, 200)}`);
  }
  let invalidRefused = 0;
  for (const input of invalid) {
    const { status, type, body } = await send(operation, input);
    if (status === 400 && type === "ValidationException") invalidRefused++;
    else defects.push(`${operation} let pass what the model refuses: ${status} ${body.slice(0, 200)}`);
  }
  return { operation, valid: valid.length, accepted, refused, invalid: invalid.length, invalidRefused, defects };
}

// What is made first can be read, then cancelled, then deleted.
const STAGES = [/^Create/, /^Start/, /^(?!Create|Start|Cancel|Delete)/, /^Cancel/, /^Delete/];
const stage = (operation: OperationName): number => STAGES.findIndex((verb) => verb.test(operation));
const rows: Row[] = [];
for (const operation of [...names].sort((a, b) => stage(a) - stage(b))) rows.push(await rowOf(operation));
await lab.omics.send(new CancelRunCommand({ id: blocking })).catch(() => undefined); // a generated request may have done it
await lab.ended(blocking);

const shown = (refused: ReadonlyMap<string, number>): string =>
  [...refused]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, count]) => `${type} ${count}`)
    .join(", ");
console.log(
  "| operation | valid | accepted | refused, by error type | invalid | refused with ValidationException |\n|---|--:|--:|---|--:|--:|",
);
for (const { operation, valid, accepted, refused, invalid, invalidRefused } of rows.sort((a, b) => (a.operation < b.operation ? -1 : 1)))
  console.log(`| ${operation} | ${valid} | ${accepted} | ${shown(refused)} | ${invalid} | ${invalidRefused} |`);
const sum = (count: (row: Row) => number): number => rows.reduce((total, row) => total + count(row), 0);
console.log(
  `| ${rows.length} operations | ${sum((row) => row.valid)} | ${sum((row) => row.accepted)} | | ${sum((row) => row.invalid)} | ${sum((row) => row.invalidRefused)} |`,
);
const defects = rows.flatMap((row) => row.defects);
for (const line of defects) console.log(line);
console.log(`${defects.length} defects`);
if (defects.length > 0) process.exitCode = 1;
