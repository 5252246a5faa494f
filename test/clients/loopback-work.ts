import { CreateStateMachineCommand, DescribeExecutionCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { codeLab, until } from "../../src/local/codebuild/testing/code-lab.ts";
import { furnish } from "../../src/local/omics/testing/omics.ts";
import { startAccounts } from "../../src/local/testing/accounts.ts";

// What a release does, in one process and its children: the SDK with disableHostPrefix, a function and a build that set nothing, a state machine, a run.
await using accounts = await startAccounts();
const lab = codeLab(accounts);
const said: Record<string, unknown> = {};

/** A program of somebody else's: the SDK as it comes, told nothing of the local accounts. */
const LIST = `import("${import.meta.resolve("@aws-sdk/client-omics")}").then(({ OmicsClient, ListWorkflowsCommand }) => new OmicsClient({}).send(new ListWorkflowsCommand({}))).then(({ items }) => items.length)`;

const role = await lab.role("lambda", "function", ["logs:*", "omics:ListWorkflows"]);
const lambda = new LambdaClient(accounts.config());
await lambda.send(
  new CreateFunctionCommand({
    FunctionName: "list",
    Runtime: "nodejs22.x",
    Handler: "index.handler",
    Role: role,
    Timeout: 60,
    Code: { ZipFile: zipSync({ "index.mjs": Buffer.from(`export const handler = () => ${LIST};`) }) },
  }),
);
said["function"] = Buffer.from((await lambda.send(new InvokeCommand({ FunctionName: "list" }))).Payload ?? []).toString();

await lab.project(
  "list",
  { version: "0.2", phases: { build: { commands: [`node -e '${LIST}.then((n) => console.log("> " + n))'`] } } },
  { actions: ["omics:ListWorkflows"] },
);
const build = await lab.build("list");
said["build"] = (await lab.linesOf(build)).find((line) => line.startsWith("> "))?.trim();

const states = new SFNClient(accounts.config());
const definition = JSON.stringify({
  StartAt: "List",
  States: { List: { Type: "Task", Resource: "arn:aws:states:::aws-sdk:omics:listWorkflows", End: true } },
});
const { stateMachineArn } = await states.send(
  new CreateStateMachineCommand({ name: "list", definition, roleArn: await lab.role("states", "machine", ["omics:ListWorkflows"]) }),
);
const { executionArn } = await states.send(new StartExecutionCommand({ stateMachineArn }));
said["machine"] = (
  await until(
    () => states.send(new DescribeExecutionCommand({ executionArn })),
    ({ status }) => status !== "RUNNING",
  )
).status;

const omics = await furnish(accounts);
const workflowId = await omics.workflow({
  "main.wdl":
    "version 1.1\nworkflow hello { call greet output { String said = greet.said } }\ntask greet { command <<< echo hello >>> output { String said = read_string(stdout()) } }\n",
});
said["run"] = (await omics.ended(await omics.start({ workflowId }))).status;
process.stdout.write(`${JSON.stringify(said)}\n`);
