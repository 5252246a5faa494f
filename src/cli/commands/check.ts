import type { Command } from "commander";
import { ReleaseError } from "../../release/errors.ts";
import { planImages } from "../../release/images/plan.ts";
import { type Project, readProject } from "../../release/project/project.ts";
import { type Package, packageDefinition, REQUEST_LIMIT_BYTES } from "../../release/publish/package.ts";
import { checkInputs } from "../../workflow/check-inputs.ts";
import type { Diagnostic } from "../../workflow/inspection.ts";
import { lintInspection } from "../../workflow/lint/lint.ts";
import { type Cli, NotDone, printResult } from "../cli.ts";
import { givenInputs } from "../test-inputs.ts";

/** What `omx check --json` prints. */
interface Report {
  readonly ok: boolean;
  readonly name?: string;
  readonly version?: string;
  readonly engine?: string;
  readonly main?: string;
  readonly definition?: { readonly files: number; readonly bytes: number; readonly sha256: string; readonly route: "request" | "s3" };
  readonly images?: { readonly pulls: readonly string[]; readonly builds: readonly string[] };
  readonly tests?: readonly { readonly name: string; readonly problems: readonly string[] }[];
  readonly diagnostics: readonly Diagnostic[];
  /** What keeps the repository from being released, and what to do. */
  readonly problems: readonly { readonly message: string; readonly fix: string }[];
}

/** `omx check` */
export function check(program: Command, cli: Cli): void {
  program.command("check").argument("[path]", "the workflow's repository", ".").summary("all that can be known of a repository before a push")
    .description("Checks a workflow's repository as a release would: omx.yaml, the definition and its lint rules, test data and the tests' inputs, which images are pulled and built, the size of the package. Calls nothing.")
    .option("--json", "one JSON document: ok, name, version, engine, main, definition, images, tests, diagnostics, problems")
    .action((path: string, flags: { readonly json?: boolean }) => {
      const report = checkRepository(path);
      printResult(cli, flags, { value: report, lines: describe(report) });
      if (!report.ok) throw new NotDone();
    });
}

function checkRepository(root: string): Report {
  try {
    const project = readProject(root);
    return reportOf(project, packageDefinition(project));
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    return { ok: false, diagnostics: [], problems: [{ message: error.message, fix: error.fix }] };
  }
}

function reportOf(project: Project, packed: Package): Report {
  const { config, inspection, engine, main, tree, parameterTemplate } = project;
  const { diagnostics } = lintInspection(tree, inspection, { areImagesStaged: true, zipBytes: packed.zip.byteLength, ...(config.readme && { readme: config.readme }) });
  const tests = config.tests.map((test) => ({
    name: test.name,
    problems: checkInputs(givenInputs(project, test), { inspection, template: parameterTemplate, isLenient: engine === "WDL_LENIENT", areFilesStaged: true }).map(({ message }) => message),
  }));
  const plan = planImages(inspection.images, config.images);
  const failed = diagnostics.some(({ severity }) => severity === "error") || tests.some(({ problems }) => problems.length > 0);
  return {
    ok: !failed, name: config.name, version: config.version, engine, main,
    definition: { files: packed.files.length, bytes: packed.zip.byteLength, sha256: packed.sha256, route: packed.zip.byteLength <= REQUEST_LIMIT_BYTES ? "request" : "s3" },
    images: { pulls: plan.pulls, builds: plan.builds.map(({ target }) => target) }, tests, diagnostics, problems: [],
  };
}

function describe({ ok, name, version, engine, main, definition, images, tests = [], diagnostics, problems }: Report): readonly string[] {
  return [
    ...(definition ? [`${name} ${version}: ${engine}, main file ${main}, ${definition.files} files, ${(definition.bytes / 1000).toFixed(1)} kB packed (goes by ${definition.route === "s3" ? "S3" : "request"})`] : []),
    ...(images?.pulls.map((image) => `  pull   ${image}`) ?? []),
    ...(images?.builds.map((image) => `  build  ${image}`) ?? []),
    ...tests.flatMap((test) => [`  test   ${test.name}: ${test.problems.length === 0 ? "inputs fit" : "inputs do not fit"}`, ...test.problems.map((problem) => `         ${problem}`)]),
    ...diagnostics.map(({ file, line, column, severity, message, rule }) => `${file}:${line}:${column}: ${severity}: ${message} [${rule}]`),
    ...problems.flatMap(({ message, fix }) => [`✗ ${message}`, `  ${fix}`]),
    ok ? "✓ can be released" : "✗ can't be released yet",
  ];
}
