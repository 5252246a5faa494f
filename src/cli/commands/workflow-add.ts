import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { type Cli, printResult, Problem, UsageError } from "../cli.ts";
import { PROFILE_HELP } from "../options.ts";

interface AddFlags {
  readonly config: string;
  readonly source: "codecommit" | "connection";
  readonly repository?: string;
  readonly branch: string;
  readonly connectionArn?: string;
  readonly deploy: boolean;
  readonly profile?: string;
  readonly json?: boolean;
}

/** `omx workflow add` */
export function workflowAdd(group: Command, cli: Cli): void {
  group
    .command("add")
    .argument("<name>", "lower-case letters, digits and hyphens, at most 41; `name` in the repository's omx.yaml")
    .summary("add a workflow and deploy its pipeline")
    .description(
      "Writes the workflow into omx.deploy.yaml (comments stay) and deploys: its repository, its checks on pull requests, its pipeline.",
    )
    .addOption(
      new Option("--source <source>", "CodeCommit, or GitHub, GitLab or Bitbucket by a connection")
        .choices(["codecommit", "connection"])
        .default("codecommit"),
    )
    .option("--repository <name>", "the repository, owner/name for a connection (default: the workflow's name)")
    .option("--branch <branch>", "a push to it releases", "main")
    .option("--connection-arn <arn>", "of the connection; needed with --source connection")
    .option("--config <file>", "the deployment's file", join(cli.settings.root, "omx.deploy.yaml"))
    .option("--no-deploy", "only edit the file")
    .option("--profile <name>", PROFILE_HELP)
    .option("--json", 'one JSON document: {"name", "config", "deployed"}')
    .action(async (name: string, flags: AddFlags) => {
      const edited = await edit(name, flags);
      if (flags.deploy) await refuseNobody(cli, flags);
      writeFileSync(flags.config, edited);
      cli.say(`wrote ${name} into ${flags.config}`);
      if (flags.deploy) {
        const { deployStacks } = await import("../aws/cdk.ts");
        await deployStacks(cli, flags);
      }
      printResult(cli, flags, {
        value: { name, config: flags.config, deployed: flags.deploy },
        lines: [flags.deploy ? `✓ a push to ${flags.branch} releases ${name}` : "not deployed; run: omx deploy"],
      });
    });
}

/** Where nobody can deploy, the file stays as it is: the same command works once somebody can. @throws Problem */
async function refuseNobody(cli: Cli, { profile }: AddFlags): Promise<void> {
  const { openSession } = await import("../aws/session.ts");
  await openSession(cli, { ...(profile && { profile }) }, {});
}

/** The file's text with the workflow in it. @throws Problem, UsageError */
async function edit(name: string, { config, source, repository, branch, connectionArn }: AddFlags): Promise<string> {
  const { parseDocument } = await import("yaml");
  const { DeployConfig } = await import("../../release/project/deploy-config.ts");
  const { readDeployConfig } = await import("../../infra/read-config.ts");
  // What is wrong with the file already is told with its lines; below it is the new workflow.
  readDeployConfig(config);
  const document = parseDocument(readFileSync(config, "utf8"));
  if (document.hasIn(["workflows", name]))
    throw new Problem(`${config} has a workflow ${name} already`, "edit it there, then run `omx deploy`");
  document.setIn(
    ["workflows", name],
    document.createNode({ source, ...(repository && { repository }), branch, ...(connectionArn && { connectionArn }) }, { flow: true }),
  );
  const checked = DeployConfig.safeParse(document.toJS());
  if (!checked.success)
    throw new UsageError(
      checked.error.issues
        .map(
          (issue) =>
            `${issue.path.join(".") || config}: ${issue.code === "invalid_key" ? issue.issues.map(({ message }) => message).join("; ") : issue.message}`,
        )
        .join("\n"),
    );
  return document.toString({ lineWidth: 0 });
}
