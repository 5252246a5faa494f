import { type Command, Option } from "commander";
import { type Cli, NotDone, printResult } from "../cli.ts";
import { count, PROFILE_HELP, region, roleArn, s3Uri } from "../options.ts";
import type { RunOptions, RunReport } from "../run/trial.ts";

interface RunFlags extends RunOptions {
  readonly json?: boolean;
}

/** `omx run` */
export function run(program: Command, cli: Cli): void {
  program
    .command("run")
    .argument("<path>", "the workflow's folder")
    .summary("stage, create and run a workflow, and show its outputs")
    .description(
      "The inner loop: brings the workflow's images in, creates a version of NAME-dev in HealthOmics, uploads the files that the inputs name, starts a run, follows it and shows its outputs. A second run with nothing changed starts at once. Numbers of releases are not touched. Needs what `omx deploy` makes.",
    )
    .requiredOption("--params <file>", "the inputs as JSON; paths of files of this machine are relative to it")
    .option("--main <file>", "the main file, relative to PATH")
    .addOption(new Option("--engine <engine>", "the engine").choices(["WDL", "WDL_LENIENT", "NEXTFLOW", "CWL"]))
    .addOption(new Option("--storage-type <type>", "of the run").choices(["DYNAMIC", "STATIC"]).default("DYNAMIC"))
    .option("--storage-capacity <GiB>", "of the run, with --storage-type STATIC", count)
    .option("--role <arn>", "the run's role (default: omx-run-REGION of the account)", roleArn)
    .option("--output <uri>", "where outputs go (default: test-outputs/ of omx's bucket)", s3Uri)
    .option("--no-follow", "return when the run is started")
    .option("--profile <name>", PROFILE_HELP)
    .option("--region <region>", "the region (default: the profile's)", region)
    .option(
      "--json",
      'one JSON document: {"runId", "status", "message", "workflowId", "version", "outputUri", "outputs", "files"}; what happens goes to stderr',
    )
    .addHelpText("after", "\nExit code 1 when the run does not end COMPLETED.")
    .action(async (path: string, flags: RunFlags) => {
      const { runTrial } = await import("../run/trial.ts");
      const report = await runTrial(cli, path, flags);
      printResult(cli, flags, { value: report, lines: describe(report) });
      if (flags.follow && report.status !== "COMPLETED") throw new NotDone();
    });
}

const describe = ({ runId, status, message, outputUri, outputs, files = [] }: RunReport): readonly string[] => [
  `run ${runId} ${status}${message ? `: ${message}` : ""}`,
  ...(outputUri ? [`outputs in ${outputUri}`] : []),
  ...Object.entries(outputs ?? {}).map(([name, value]) => `  ${name} = ${typeof value === "string" ? value : JSON.stringify(value)}`),
  ...(outputs ? [] : files.map(({ uri, size }) => `  ${uri} (${size} bytes)`)),
];
