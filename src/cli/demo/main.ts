import { resolve } from "node:path";
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
`;

const { values } = parseArgs({
  options: { yes: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean" }, data: { type: "string" }, port: { type: "string" }, mirror: { type: "string" }, containers: { type: "string" } },
});
const cli = createCli();
if (values.help) cli.out(HELP);
else process.exitCode = await demo();

async function demo(): Promise<number> {
  try {
    const display = createDisplay(cli, { isTerminal: process.stderr.isTTY === true && !values.json, write: (text) => void process.stderr.write(text) });
    const result = await runDemo(cli, display, {
      yes: values.yes ?? false, data: resolve(cli.settings.root, values.data ?? ".omx/demo"), port: Number(values.port ?? 4577),
      ...(values.mirror && { mirror: values.mirror }), ...(values.containers && { containers: values.containers as "docker" }),
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
    "", `phage-variants ${version}`,
    `  workflow     ${workflowId.cicd} in cicd, ${workflowId.production} in production`,
    `  bundle       ${bundle}`,
    ...testRuns.map(({ id, status, outputUri }) => `  test run     ${id} ${status} ${outputUri}`),
    ...images.map(({ target }) => `  image        ${target}`),
    `  approved by  ${approval.by} at ${approval.at}: ${approval.comment}`,
  ]);
  return `${lines.join("\n")}

Tasks ran ${containers === "host" ? "on the host, not isolated" : `in ${containers}`}. The local accounts keep running at ${endpoint}. Try next:
  export AWS_CONFIG_FILE=${configFile}
  aws omics list-workflow-versions --workflow-id ${releases[0]?.workflowId.production ?? ""} --profile production
  aws codepipeline get-pipeline-state --name omx-phage-variants --profile approver
  omx console          the review page (OMX_DATA=${configFile.replace(/\/aws-config$/, "")})
  omx local stop --data ${configFile.replace(/\/aws-config$/, "")}
`;
}
