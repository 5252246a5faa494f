import type { Command } from "commander";
import type { CheckReport } from "../../release/project/check.ts";
import { type Cli, NotDone, printResult } from "../cli.ts";
import { repositoryAt } from "../definition/named.ts";

/** `omx check` */
export function check(program: Command, cli: Cli): void {
  program
    .command("check")
    .argument("[path]", "the workflow's repository", ".")
    .summary("all that can be known of a repository before a push")
    .description(
      "Checks a workflow's repository as a release would: omx.yaml, the definition and its lint rules, test data and the tests' inputs, which images are pulled and built, the Dockerfiles of those, the size of the package. Calls nothing.",
    )
    .option("--json", "one JSON document: ok, name, version, engine, main, parameters, definition, images, tests, diagnostics, problems")
    .addHelpText("after", "\nExit code 1 when it can't be released.")
    .action(async (path: string, flags: { readonly json?: boolean }) => {
      const { checkRepository } = await import("../../release/project/check.ts");
      const report = checkRepository(repositoryAt(path));
      printResult(cli, flags, { value: report, lines: describe(report) });
      if (!report.ok) throw new NotDone();
    });
}

function describe({
  ok,
  name,
  version,
  engine,
  main,
  definition,
  images,
  tests = [],
  diagnostics,
  problems,
}: CheckReport): readonly string[] {
  return [
    ...(definition
      ? [
          `${name} ${version}: ${engine}, main file ${main}, ${definition.files} files, ${(definition.bytes / 1000).toFixed(1)} kB packed (goes by ${definition.route === "s3" ? "S3" : "request"})`,
        ]
      : []),
    ...(images?.pulls.map((image) => `  pull   ${image}`) ?? []),
    ...(images?.builds.map((image) => `  build  ${image}`) ?? []),
    ...tests.flatMap((test) => [
      `  test   ${test.name}: ${test.problems.length === 0 ? "inputs fit" : "inputs do not fit"}`,
      ...test.problems.map((problem) => `         ${problem}`),
    ]),
    ...diagnostics.map(({ file, line, column, severity, message, rule }) => `${file}:${line}:${column}: ${severity}: ${message} [${rule}]`),
    ...problems.flatMap(({ message, fix }) => [`✗ ${message}`, `  ${fix}`]),
    ok ? "✓ can be released" : "✗ can't be released yet",
  ];
}
