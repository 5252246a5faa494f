import { checkInputs } from "../../workflow/check-inputs.ts";
import type { Diagnostic } from "../../workflow/inspection.ts";
import { lintInspection } from "../../workflow/lint/lint.ts";
import { ReleaseError } from "../errors.ts";
import { checkBuild } from "../images/build/check-build.ts";
import { readLock } from "../images/lock/lock-file.ts";
import { planImages } from "../images/plan.ts";
import { type Package, packageDefinition, REQUEST_LIMIT_BYTES } from "../publish/package.ts";
import { testInputs } from "../testrun/test-data.ts";
import { type Project, readProject, readProjectOf } from "./project.ts";

/** All that can be known of a repository before a push; `omx check --json` prints it. */
export interface CheckReport {
  readonly ok: boolean;
  readonly name?: string;
  readonly version?: string;
  readonly engine?: string;
  readonly main?: string;
  readonly parameters?: { readonly all: number; readonly required: number };
  readonly definition?: { readonly files: number; readonly bytes: number; readonly sha256: string; readonly route: "request" | "s3" };
  readonly images?: { readonly pulls: readonly string[]; readonly builds: readonly string[] };
  readonly tests?: readonly { readonly name: string; readonly problems: readonly string[] }[];
  readonly diagnostics: readonly Diagnostic[];
  /** What keeps the repository from being released, and what to do. */
  readonly problems: readonly { readonly message: string; readonly fix: string }[];
}

/**
 * Checks a repository as a release would: omx.yaml, the definition and its lint rules, test data, inputs, images, their lock and Dockerfiles, size. Calls nothing.
 * @param workflow whose repository it is @default - what its omx.yaml says
 */
export function checkRepository(root: string, workflow?: string): CheckReport {
  try {
    const project = workflow === undefined ? readProject(root) : readProjectOf(workflow, root);
    readLock(root);
    return reportOf(project, packageDefinition(project));
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    return { ok: false, diagnostics: [], problems: [{ message: error.message, fix: error.fix }] };
  }
}

function reportOf(project: Project, packed: Package): CheckReport {
  const { config, inspection, engine, main, tree, parameterTemplate } = project;
  const { diagnostics } = lintInspection(tree, inspection, {
    areImagesStaged: true,
    zipBytes: packed.zip.byteLength,
    ...(config.readme && { readme: config.readme }),
  });
  const tests = config.tests.map((test) => ({
    name: test.name,
    problems: checkInputs(
      testInputs(project, test, (path) => path),
      { inspection, template: parameterTemplate, isLenient: engine === "WDL_LENIENT", areFilesStaged: true },
    ).map(({ message }) => message),
  }));
  const plan = planImages(inspection.images, config.images);
  const problems = plan.builds
    .flatMap((build) => checkBuild(project.root, build) ?? [])
    .map((message) => ({ message, fix: "correct the Dockerfile or its source, and images.build of omx.yaml where that is another" }));
  const hasFailed =
    problems.length > 0 || diagnostics.some(({ severity }) => severity === "error") || tests.some(({ problems }) => problems.length > 0);
  const parameters = Object.values(parameterTemplate);
  return {
    ok: !hasFailed,
    name: config.name,
    version: config.version,
    engine,
    main,
    parameters: { all: parameters.length, required: parameters.filter(({ optional }) => !optional).length },
    definition: {
      files: packed.files.length,
      bytes: packed.zip.byteLength,
      sha256: packed.sha256,
      route: packed.zip.byteLength <= REQUEST_LIMIT_BYTES ? "request" : "s3",
    },
    images: { pulls: plan.pulls, builds: plan.builds.map(({ target }) => target) },
    tests,
    diagnostics,
    problems,
  };
}
