import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestCase } from "../release/project/omx-yaml.ts";
import type { Project } from "../release/project/project.ts";

/** The inputs of a test as they stand in the repository: its data by the names of the files. */
export function givenInputs(project: Project, test: TestCase): Record<string, unknown> {
  const parameters = typeof test.parameters === "string" ? (JSON.parse(readFileSync(join(project.root, test.parameters), "utf8")) as Record<string, unknown>) : test.parameters;
  return { ...parameters, ...test.data };
}
