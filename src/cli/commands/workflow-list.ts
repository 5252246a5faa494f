import { join } from "node:path";
import type { Command } from "commander";
import { type Cli, printResult, table } from "../cli.ts";

/** `omx workflow list` */
export function workflowList(group: Command, cli: Cli): void {
  group
    .command("list")
    .summary("list the workflows")
    .description("Lists the workflows of omx.deploy.yaml.")
    .option("--config <file>", "the deployment's file", join(cli.settings.root, "omx.deploy.yaml"))
    .option("--json", 'one JSON document: {"workflows": [{"name", "source", "repository", "branch", "pipeline"}]}')
    .action(async (flags: { readonly config: string; readonly json?: boolean }) => {
      const { readDeployConfig } = await import("../../infra/read-config.ts");
      const { pipelineName } = await import("../../release/names.ts");
      const workflows = Object.entries(readDeployConfig(flags.config).workflows).map(([name, { source, repository = name, branch }]) => ({
        name,
        source,
        repository,
        branch,
        pipeline: pipelineName(name),
      }));
      printResult(cli, flags, {
        value: { workflows },
        lines:
          workflows.length > 0
            ? table([
                ["workflow", "source", "repository", "branch", "pipeline"],
                ...workflows.map((each) => [each.name, each.source, each.repository, each.branch, each.pipeline]),
              ])
            : ["there are none; add one with: omx workflow add NAME"],
      });
    });
}
