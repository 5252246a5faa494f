import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { validateValue } from "../../../model/validate.ts";
import type { Definition, ParameterTemplate } from "../store.ts";
import { CreationFailed } from "./creation-failed.ts";

/** What a repository's own files say beside the definition: the template and the README. Nothing for other sources. */
export function repositoryFiles(definition: Definition, folder: string): Pick<Definition, "parameterTemplate" | "readme" | "readmePath"> {
  if (definition.source.kind !== "repository") return {};
  const { parameterTemplatePath, readmeSource } = definition;
  const path = readmeSource?.kind === "repository" ? (readmeSource.path ?? "README.md") : undefined;
  const readme = path === undefined ? undefined : textAt(folder, path);
  if (readmeSource?.kind === "repository" && readmeSource.path !== undefined && readme === undefined) throw absent(readmeSource.path);
  return {
    ...(parameterTemplatePath !== undefined && { parameterTemplate: templateAt(folder, parameterTemplatePath) }),
    ...(readme !== undefined && path !== undefined && { readme, readmePath: path }),
  };
}

const absent = (path: string): CreationFailed => new CreationFailed(`The repository has no file ${path}`);

/** The text of a file of the repository; undefined when it is not there, or a link leads out. */
function textAt(folder: string, path: string): string | undefined {
  const file = join(folder, path);
  if (!existsSync(file) || !realpathSync(file).startsWith(realpathSync(folder) + sep)) return undefined;
  return readFileSync(file, "utf8");
}

function templateAt(folder: string, path: string): ParameterTemplate {
  const text = textAt(folder, path);
  if (text === undefined) throw absent(path);
  const template = parsed(text, path);
  const broken = validateValue("WorkflowParameterTemplate", template, "parameterTemplate");
  if (broken !== undefined) throw new CreationFailed(`${path}: ${broken}`);
  return template as ParameterTemplate;
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CreationFailed(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
