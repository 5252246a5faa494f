import type { Engine, Inspection } from "../../workflow/inspection.ts";
import type { SourceTree } from "../../workflow/source-tree.ts";
import { ReleaseError } from "../errors.ts";
import type { TestCase } from "../project/omx-yaml.ts";

/** The workflow that is tested: its files and what was read of them. */
export interface Tested {
  readonly tree: SourceTree;
  readonly engine: Engine | "WDL_LENIENT";
  readonly inspection: Inspection;
}

/** Where a file of the repository will lie: an S3 URI once it is staged, its own path before that. */
export type Whereabouts = (path: string) => string;

/**
 * The inputs of a test's run: its parameters, and its data in the form in which the engine takes files.
 * @throws ReleaseError ProjectInvalid when the file of parameters is not JSON
 */
export function testInputs(tested: Tested, test: TestCase, whereabouts: Whereabouts): Record<string, unknown> {
  const types = new Map(tested.inspection.parameters.map(({ name, type }) => [name, type]));
  const valueOf = (parameter: string, path: string): unknown => {
    const uri = path.startsWith("s3://") ? path : whereabouts(path);
    return tested.engine === "CWL" ? cwlValue(uri, types.get(parameter) ?? "File") : uri;
  };
  const data = Object.entries(test.data).map(
    ([parameter, paths]) =>
      [parameter, Array.isArray(paths) ? paths.map((path) => valueOf(parameter, path)) : valueOf(parameter, paths)] as const,
  );
  return { ...parametersOf(tested, test), ...Object.fromEntries(data) };
}

/** CWL takes a file as an object (CWL v1.2, "File" and "Directory"); a parameter that is a string stays one. */
function cwlValue(location: string, type: string): unknown {
  if (type.includes("Directory") && (location.endsWith("/") || !type.includes("File")))
    return { class: "Directory", location: location.replace(/\/$/, "") };
  const isText = /^string(\[\])*\??$/.test(type);
  return isText ? location : { class: "File", location };
}

function parametersOf({ tree }: Tested, { parameters }: TestCase): Readonly<Record<string, unknown>> {
  if (typeof parameters !== "string") return parameters;
  try {
    return JSON.parse(tree.text(parameters) ?? "") as Record<string, unknown>;
  } catch (error) {
    throw new ReleaseError("ProjectInvalid", {
      says: `${parameters} is not JSON: ${(error as Error).message}`,
      fix: "correct the file",
      blame: "user",
    });
  }
}

const STAGED_PATH = /\{\{staging_uri\}\}\/([^\s"',;|\]})]+)/g;

/** Paths of the repository that a text names behind `{{staging_uri}}/`. */
export const stagedPaths = (text: string): readonly string[] => [...new Set([...text.matchAll(STAGED_PATH)].map(([, path = ""]) => path))];

const SHEET = /\.(csv|tsv|txt|json|ya?ml)$/i;

/** Larger files are data, not lists of data. */
const SHEET_LIMIT_BYTES = 8 * 1024 * 1024;

/** Whether a file of this name and size may be a sample sheet. */
export const isSheet = (path: string, bytes: number): boolean => SHEET.test(path) && bytes <= SHEET_LIMIT_BYTES;

/** The text of a sample sheet that has something to fill in; undefined for every other file. */
export function readSheet(tree: SourceTree, path: string): string | undefined {
  const text = isSheet(path, tree.size(path) ?? 0) ? tree.text(path) : undefined;
  return text !== undefined && /\{\{\w+\}\}/.test(text) ? text : undefined;
}

/**
 * Every file of the repository that a test's run reads: its data, folders unfolded, and what its sample sheets and
 * parameters name behind `{{staging_uri}}/`.
 * @returns paths; one that is not in the repository comes with where it is named
 */
export function testDataFiles(
  tree: SourceTree,
  test: TestCase,
): { readonly files: readonly string[]; readonly missing: readonly string[] } {
  const files = new Set<string>();
  const missing: string[] = [];
  const add = (path: string, where: string): void => {
    const found = filesAt(tree, path);
    if (found.length === 0) missing.push(`${where}: ${path} does not exist`);
    for (const file of found) {
      if (files.has(file)) continue;
      files.add(file);
      for (const named of stagedPaths(readSheet(tree, file) ?? "")) add(named, `test ${test.name}: ${file}`);
    }
  };
  for (const path of Object.values(test.data).flat()) if (!path.startsWith("s3://")) add(path, `test ${test.name}`);
  for (const named of stagedPaths(
    typeof test.parameters === "string" ? (tree.text(test.parameters) ?? "") : JSON.stringify(test.parameters),
  ))
    add(named, `test ${test.name}`);
  return { files: [...files], missing };
}

/** The file itself, or the files of a folder. */
const filesAt = (tree: SourceTree, path: string): readonly string[] => {
  const plain = path.replace(/^\.\//, "").replace(/\/$/, "");
  return tree.size(plain) === undefined ? tree.files.filter((file) => file.startsWith(`${plain}/`)) : [plain];
};
