import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InProcess } from "./in-process.ts";

/**
 * A repository of a workflow that uses these images.
 * @param more of omx.yaml, after name and version
 * @returns its folder
 */
export function project(cli: Pick<InProcess, "folder">, name: string, images: readonly string[], more = ""): string {
  const folder = join(cli.folder, name);
  mkdirSync(folder, { recursive: true });
  const calls = images.map((_image, index) => `  call t${index}\n`);
  const tasks = images.map((image, index) => `task t${index} {\n  command <<< echo >>>\n  runtime { docker: "${image}" }\n}\n`);
  writeFileSync(join(folder, "main.wdl"), `version 1.0\nworkflow w {\n${calls.join("")}}\n${tasks.join("")}`);
  writeFileSync(join(folder, "omx.yaml"), `name: ${name}\nversion: "1.0"\n${more}`);
  return folder;
}
