import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createCli } from "../terminal.ts";
import { runDemo, type DemoResult } from "./demo.ts";
import { createDisplay } from "./display.ts";
import { explain } from "../run.ts";

const HELP = `npm run demo -- [--yes] [--json] [--data DIR] [--port N] [--mirror URL] [--containers docker|podman|host]

A push reaches production on this machine: starts the local accounts, deploys the CDK app to them with cdk, pushes the
example workflow, tests it, asks for the approval, releases it to the production account; then a change, released again.

  --yes         approve without asking
  --json        one JSON document on stdout at the end
  --data DIR    folder of all state (default: .omx/demo)
  --port N      port on 127.0.0.1; 0 takes a free one (default: 4577)
  --mirror URL  read the images of public.ecr.aws from there
  --containers  where tasks and RUN lines execute (default: docker or podman where it answers, else host)
`;

const cli = createCli();
const values = asked();
if (!values) process.exitCode = 2;
else if (values.help) cli.out(HELP);
else process.exitCode = await demo(values);

type Values = NonNullable<ReturnType<typeof asked>>;

/** What was asked for; undefined for wrong usage, which has been told then. */
function asked() {
  try {
    return parseArgs({
      options: {
        yes: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean" },
        data: { type: "string" },
        port: { type: "string" },
        mirror: { type: "string" },
        containers: { type: "string" },
      },
    }).values;
  } catch (error) {
    cli.say(`✗ ${(error as Error).message}\n\n${HELP}`);
    return undefined;
  }
}

async function demo(values: Values): Promise<number> {
  try {
    const display = createDisplay(cli, {
      isTerminal: process.stderr.isTTY === true && !values.json,
      write: (text) => void process.stderr.write(text),
    });
    const result = await runDemo(cli, display, {
      yes: values.yes ?? false,
      data: resolve(cli.settings.root, values.data ?? ".omx/demo"),
      port: Number(values.port ?? 4577),
      ...(values.mirror && { mirror: values.mirror }),
      ...(values.containers && { containers: values.containers as "docker" }),
    });
    cli.out(values.json ? `${JSON.stringify(result, null, 2)}\n` : summary(result));
    return 0;
  } catch (error) {
    if (values.json) cli.out(`${JSON.stringify({ ok: false, error: (error as Error).message })}\n`);
    return explain(cli, error as Error);
  }
}

function summary({ endpoint, configFile, containers, releases }: DemoResult): string {
  const lines = releases.flatMap(({ version, workflowId, bundle, testRuns, approval, images }) => [
    "",
    `phage-variants ${version}`,
    `  workflow     ${workflowId.cicd} in cicd, ${workflowId.production} in production`,
    `  bundle       ${bundle}`,
    ...testRuns.map(({ id, status, outputUri }) => `  test run     ${id} ${status} ${outputUri}`),
    ...images.map(({ target }) => `  image        ${target}`),
    `  approved by  ${approval.by} at ${approval.at}: ${approval.comment}`,
  ]);
  const dataDir = dirname(configFile);
  return `${lines.join("\n")}

Tasks ran ${containers === "host" ? "on the host, not isolated" : `in ${containers}`}. The local accounts keep running at ${endpoint}. Try next:
  export AWS_CONFIG_FILE=${configFile}
  aws omics list-workflow-versions --workflow-id ${releases[0]?.workflowId.production ?? ""} --profile production
  aws codepipeline get-pipeline-state --name omx-phage-variants --profile approver
  OMX_DATA=${dataDir} npx omx console    # the review page
  npx omx local stop --data ${dataDir}
`;
}
