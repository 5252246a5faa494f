import { readFileSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { engineOf } from "../../workflow/detect.ts";
import { UsageError } from "../cli.ts";

/** The folder of a workflow's repository: who names its omx.yaml means the folder that it is in. */
export const repositoryAt = (path: string): string => (basename(path) === "omx.yaml" && isFile(path) ? dirname(path) : path);

/**
 * The path of a definition, where it can be one.
 * @param engine what the user says it is: then any file may be one
 * @throws UsageError for a file that no engine reads
 */
export function definitionAt(path: string, engine?: string): string {
  const named = repositoryAt(path);
  if (engine !== undefined || !isFile(named) || /\.zip$/i.test(named) || engineOf(named)) return named;
  throw new UsageError(
    `${path} is no workflow: give a folder, a ZIP, or a main file that ends in .wdl, .nf or .cwl; of a main file with another ending say --engine`,
  );
}

/** @throws UsageError for a file where a folder is needed */
export function folderAt(path: string): string {
  if (isFile(path)) throw new UsageError(`${path} is a file; give the folder that it is in`);
  return path;
}

/** The text of a file that the user named. @throws UsageError for a folder; the file system's errors */
export function textOf(file: string): string {
  if (statSync(file).isDirectory()) throw new UsageError(`${file} is a folder; give a file`);
  return readFileSync(file, "utf8");
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
