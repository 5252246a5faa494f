import { lstatSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseDeclaredVersion, type DeclaredVersion } from "../../kit/version.ts";
import { openFolder } from "../../workflow/folder-tree.ts";
import { inspect } from "../../workflow/inspect.ts";
import type { Engine, Inspection, ParameterTemplate } from "../../workflow/inspection.ts";
import type { SourceTree } from "../../workflow/source-tree.ts";
import { ReleaseError } from "../errors.ts";
import { testDataFiles } from "../testrun/test-data.ts";
import { type OmxYaml, parseOmxYaml, type TestCase } from "./omx-yaml.ts";

/** A workflow repository, read. */
export interface Project {
  /** The folder. */
  readonly root: string;
  readonly config: OmxYaml;
  readonly version: DeclaredVersion;
  readonly tree: SourceTree;
  readonly inspection: Inspection;
  readonly engine: Engine | "WDL_LENIENT";
  /** The main file, relative to the root. */
  readonly main: string;
  /** What HealthOmics is told: the repository's own template, else the inferred one. */
  readonly parameterTemplate: ParameterTemplate;
  readonly readme?: string;
}

const README_LIMIT_BYTES = 500 * 1024;

/**
 * Reads and checks a repository: omx.yaml, the definition, test data.
 * @throws ReleaseError ProjectInvalid, WorkflowInvalid, TestDataMissing
 */
export function readProject(root: string): Project {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw noProject(root);
  const tree = openFolder(root);
  if (!tree.has("omx.yaml")) throw noProject(root);
  const config = parseOmxYaml(readFileSync(join(root, "omx.yaml"), "utf8"));
  const inspection = inspect(tree, { ...(config.main && { main: config.main }), ...engineOf(config) });
  refuseErrors(inspection);
  const { engine, main } = definitionOf(root, inspection);
  refuseMissingFiles(tree, config);
  const readme = readReadme(root, tree, config);
  return {
    root,
    config,
    version: parseDeclaredVersion(config.version),
    tree,
    inspection,
    engine: config.engine ?? engine,
    main,
    parameterTemplate: readTemplate(root, tree, config) ?? inspection.parameterTemplate,
    ...(readme !== undefined && { readme }),
  };
}

/**
 * The repository of a workflow, which has to say so itself: else who may push to one would make versions of another.
 * @throws ReleaseError ProjectInvalid where omx.yaml names another workflow, and as `readProject` does
 */
export function readProjectOf(workflow: string, root: string): Project {
  const project = readProject(root);
  const { name } = project.config;
  if (name === workflow) return project;
  throw new ReleaseError("ProjectInvalid", {
    says: `omx.yaml names the workflow ${name}, and this repository's pipeline releases ${workflow}`,
    fix: `write name: ${workflow}, or push to the repository of ${name}`,
    blame: "user",
  });
}

function noProject(root: string): ReleaseError {
  const there = statSync(root, { throwIfNoEntry: false });
  const invalid = (says: string, fix: string) => new ReleaseError("ProjectInvalid", { says: `${root} ${says}`, fix, blame: "user" });
  if (!there) return invalid("does not exist", "give the folder of a workflow repository");
  if (!there.isDirectory()) return invalid("is a file", `give the folder of a workflow repository, as ${dirname(root)}`);
  if (lstatSync(join(root, "omx.yaml"), { throwIfNoEntry: false })?.isSymbolicLink())
    return invalid("has an omx.yaml that is a link to what is no file of the repository", "put the file itself there");
  return invalid("has no omx.yaml", "run `omx init` there, or give the folder of a workflow repository");
}

function engineOf({ engine }: OmxYaml): { engine?: Engine } {
  if (engine === undefined) return {};
  return { engine: engine === "WDL_LENIENT" ? "WDL" : engine };
}

function refuseErrors({ diagnostics }: Inspection): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  throw new ReleaseError("WorkflowInvalid", {
    says: `HealthOmics would refuse this workflow: ${errors.length} error${errors.length === 1 ? "" : "s"}`,
    fix: "correct the named places; `omx check` shows them all",
    blame: "user",
    details: errors.map((error) => `${error.file}:${error.line}:${error.column}: ${error.message} [${error.rule}]`),
  });
}

function definitionOf(root: string, { engine, main }: Inspection): { readonly engine: Engine; readonly main: string } {
  if (engine && main) return { engine, main };
  throw new ReleaseError("WorkflowInvalid", {
    says: `${root} has no workflow definition that can be told apart`,
    fix: "name main and engine in omx.yaml",
    blame: "user",
  });
}

function refuseMissingFiles(tree: SourceTree, config: OmxYaml): void {
  const missing = missingFiles(tree, config);
  if (missing.length === 0) return;
  throw new ReleaseError("TestDataMissing", {
    says: "omx.yaml names files that are not in the repository",
    fix: "add the files, or correct the paths in omx.yaml",
    blame: "user",
    details: missing,
  });
}

function missingFiles(tree: SourceTree, config: OmxYaml): readonly string[] {
  const named = [
    ...(config.parameterTemplate ? [["parameterTemplate", config.parameterTemplate] as const] : []),
    ...(config.readme ? [["readme", config.readme] as const] : []),
    ...config.images.build.map((build) => [`images.build ${build.target}`, join(build.source, build.dockerfile)] as const),
    ...config.tests.flatMap((test) => comparedFiles(test).map((path) => [`test ${test.name}`, path] as const)),
  ];
  return [
    ...named.filter(([, path]) => !tree.has(path)).map(([where, path]) => `${where}: ${path} does not exist`),
    ...config.tests.flatMap((test) => testDataFiles(tree, test).missing),
  ];
}

/** Files of the repository that tests need and the workflow does not: data, parameters, expected contents. */
export const repositoryFiles = ({ tree, config }: Pick<Project, "tree" | "config">): readonly string[] =>
  config.tests.flatMap((test) => [...testDataFiles(tree, test).files, ...comparedFiles(test)]);

const comparedFiles = (test: TestCase): readonly string[] => [
  ...test.expect.flatMap(({ sameLinesAs, sameContentAs }) => [sameLinesAs, sameContentAs].filter((path) => path !== undefined)),
  ...(typeof test.parameters === "string" ? [test.parameters] : []),
];

// Asked of the tree: a link that leads out of the repository must not bring a file of this machine into a release.
function readReadme(root: string, tree: SourceTree, config: OmxYaml): string | undefined {
  const path = config.readme ?? "README.md";
  if (!tree.has(path)) return undefined;
  if ((tree.size(path) ?? 0) > README_LIMIT_BYTES)
    throw new ReleaseError("TooLarge", {
      says: `${path} is over 500 KiB, HealthOmics's limit`,
      fix: "shorten it, or name another file as readme in omx.yaml",
      blame: "user",
    });
  return readFileSync(join(root, path), "utf8");
}

function readTemplate(root: string, tree: SourceTree, config: OmxYaml): ParameterTemplate | undefined {
  const path = config.parameterTemplate ?? (tree.has("parameter-template.json") ? "parameter-template.json" : undefined);
  if (path === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8")) as ParameterTemplate;
  } catch (error) {
    throw new ReleaseError("ProjectInvalid", {
      says: `${path} is not JSON: ${(error as Error).message}`,
      fix: "correct the file, or leave it out: omx infers the template",
      blame: "user",
    });
  }
}
