import { type Command, Option } from "commander";
import { type Cli, printResult, UsageError } from "../cli.ts";
import { count, pair, PROFILE_HELP, region, s3Uri, versionName } from "../options.ts";
import type { PublishOptions } from "../publish/publish.ts";

interface PublishFlags extends PublishOptions {
  readonly json?: boolean;
}

/** `omx publish` */
export function publish(program: Command, cli: Cli): void {
  const command = program
    .command("publish")
    .argument("[path]", "the workflow's folder; not with --definition-uri or --definition-repository")
    .summary("create a workflow version without a pipeline")
    .description(
      "Creates a version of a workflow in HealthOmics and waits until it is ACTIVE: one option for each parameter of CreateWorkflowVersion, over what omx.yaml says. Versions inherit nothing. Images are mapped as the registry map says; `omx images pull` brings them in.",
    );
  addresses(command);
  contents(command);
  command
    .option("--profile <name>", PROFILE_HELP)
    .option("--region <region>", "the region (default: the profile's)", region)
    .option("--json", 'one JSON document: {"workflowId", "versionName", "arn", "status", "message"}')
    .addHelpText("after", "\nExample:\n  omx publish . --registry-map map.json --tag team=genomics --profile cicd")
    .action((path: string | undefined, flags: PublishFlags) => act(cli, path, flags));
}

async function act(cli: Cli, path: string | undefined, flags: PublishFlags): Promise<void> {
  const sources = [path, flags.definitionUri, flags.definitionRepository].filter((source) => source !== undefined);
  if (sources.length !== 1) throw new UsageError("give one source: PATH, --definition-uri or --definition-repository");
  const { publishVersion } = await import("../publish/publish.ts");
  const published = await publishVersion(cli, path, flags);
  printResult(cli, flags, {
    value: published,
    lines: [
      `version ${published.versionName} of workflow ${published.workflowId} is ${published.status}${published.message ? `: ${published.message}` : ""}`,
      published.arn,
    ],
  });
}

const addresses = (command: Command): Command =>
  command
    .option("--workflow-id <id>", "the workflow (default: the account's workflow of the name; it is created where there is none)")
    .option("--name <name>", "the workflow's name (default: omx.yaml's, or the folder's)")
    .option("--version-name <name>", "the version (default: the next patch of omx.yaml's version)", versionName)
    .option("--request-id <id>", "makes the request the same when it is sent again (default: a new one)")
    .option("--definition-uri <uri>", "s3://… of the packed definition", s3Uri)
    .option("--workflow-bucket-owner-id <account>", "who owns its bucket")
    .option("--definition-repository <file>", "JSON of CreateWorkflowVersion's definitionRepository");

const contents = (command: Command): Command =>
  command
    .addOption(new Option("--engine <engine>", "the engine").choices(["WDL", "WDL_LENIENT", "NEXTFLOW", "CWL"]))
    .option("--main <file>", "the main file, relative to the definition's root")
    .option("--description <text>", "what the version is")
    .addOption(new Option("--accelerators <kind>", "accelerators its runs may ask for").choices(["GPU"]))
    .addOption(new Option("--storage-type <type>", "of runs that say nothing else").choices(["STATIC", "DYNAMIC"]))
    .option("--storage-capacity <GiB>", "of runs that say nothing else", count)
    .option("--parameter-template <file>", "JSON (default: the repository's, or what the definition says)")
    .option("--parameter-template-path <path>", "inside a definition repository")
    .option("--registry-map <file>", "JSON of the container registry map")
    .option("--registry-map-uri <uri>", "s3://… of it", s3Uri)
    .option("--readme <file>", "Markdown (default: the repository's README.md)")
    .option("--readme-path <path>", "inside a definition repository")
    .option("--readme-uri <uri>", "s3://… of it", s3Uri)
    .option("--tag <name=value>", "a tag of the version; repeatable", pair);
