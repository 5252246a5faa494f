import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { OmxYaml } from "../../release/project/omx-yaml.ts";
import { type Project, readProject } from "../../release/project/project.ts";
import { inspect } from "../../workflow/inspect.ts";
import type { Engine } from "../../workflow/inspection.ts";
import { openFolder } from "../../workflow/folder-tree.ts";
import { Problem } from "../cli.ts";
import { repositoryAt } from "../definition/named.ts";

export interface Asked {
  readonly main?: string;
  readonly engine?: Engine | "WDL_LENIENT";
}

/**
 * A workflow's folder as a project: with its omx.yaml, or without one with what can be told of the files.
 * @throws ReleaseError or Problem saying what to correct
 */
export function openProject(named: string, asked: Asked = {}): Project {
  const path = repositoryAt(named);
  if (!statSync(path).isDirectory())
    throw new Problem(`${path} is not a folder`, "give the folder that holds the workflow, and its main file with --main");
  if (existsSync(join(path, "omx.yaml"))) return overriding(readProject(path), asked);
  const tree = openFolder(path);
  const engine = asked.engine === "WDL_LENIENT" ? "WDL" : asked.engine;
  const inspection = inspect(tree, { main: asked.main, engine });
  const errors = inspection.diagnostics.filter(({ severity }) => severity === "error");
  if (!inspection.engine || !inspection.main || errors.length > 0)
    throw new Problem(
      `${path} can't become a workflow:\n${errors.map(({ file, line, column, message }) => `  ${file === "" ? "" : `${file}:${line}:${column}: `}${message}`).join("\n")}`,
      "correct the named places; give --main or --engine where they can't be told",
    );
  const config = OmxYaml.parse({ name: nameOf(path), version: "0.0" });
  return {
    root: path,
    config,
    version: { major: 0, minor: 0 },
    tree,
    inspection,
    engine: asked.engine ?? inspection.engine,
    main: inspection.main,
    parameterTemplate: inspection.parameterTemplate,
    ...(tree.has("README.md") && { readme: readFileSync(join(path, "README.md"), "utf8") }),
  };
}

const overriding = (project: Project, { main, engine }: Asked): Project => {
  if (main === undefined || main === project.main) return engine ? { ...project, engine } : project;
  const inspection = inspect(project.tree, { main, engine: engine === "WDL_LENIENT" ? "WDL" : (engine ?? project.inspection.engine) });
  if (!inspection.engine || !inspection.main) throw new Problem(inspection.diagnostics[0]?.message ?? `there is no workflow in ${main}`);
  return {
    ...project,
    inspection,
    engine: engine ?? inspection.engine,
    main: inspection.main,
    parameterTemplate: inspection.parameterTemplate,
  };
};

const nameOf = (path: string): string =>
  basename(resolve(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "")
    .slice(0, 41) || "workflow";
