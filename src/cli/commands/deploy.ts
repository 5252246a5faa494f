import { join } from "node:path";
import type { Command } from "commander";
import { type Cli, printResult } from "../cli.ts";
import { PROFILE_HELP } from "../options.ts";

interface DeployFlags {
  readonly config: string;
  readonly profile?: string;
  readonly json?: boolean;
}

/** `omx deploy` */
export function deploy(program: Command, cli: Cli): void {
  program
    .command("deploy")
    .argument("[cdk-arguments...]", "given to `cdk deploy` as they are, after --")
    .summary("deploy omx's stacks with cdk")
    .description(
      "Runs `cdk deploy --all` on omx's CDK app for what omx.deploy.yaml names. In the local accounts it bootstraps each account first; on AWS run `cdk bootstrap` yourself, once for each account and region.",
    )
    .option("--config <file>", "the deployment's file", join(cli.settings.root, "omx.deploy.yaml"))
    .option("--profile <name>", PROFILE_HELP)
    .option("--json", 'one JSON document: {"deployed", "config"}; what cdk says goes to stderr')
    .addHelpText("after", "\nExamples:\n  omx deploy\n  omx deploy --profile platform -- --concurrency 4")
    .action(async (args: readonly string[], flags: DeployFlags) => {
      const { deployStacks } = await import("../aws/cdk.ts");
      await deployStacks(cli, { ...flags, args });
      printResult(cli, flags, { value: { deployed: true, config: flags.config }, lines: ["✓ deployed"] });
    });
}
