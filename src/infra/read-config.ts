import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { DeployConfig } from "../release/project/deploy-config.ts";

/**
 * Reads omx.deploy.yaml.
 * @throws Error naming the file, the place in it and what is allowed there
 */
export function readDeployConfig(file: string): DeployConfig {
  const text = readFileSync(file, "utf8");
  const document = parseDocument(text);
  const broken = document.errors[0];
  if (broken) throw new Error(`${file}: ${broken.message}`);
  const parsed = DeployConfig.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${file}${lineOf(text, document, path)}: ${path.join(".") || "the document"}: ${message}`);
  throw new Error(problems.join("\n"));
}

function lineOf(text: string, document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): string {
  const node = document.getIn(path as (string | number)[], true) as { readonly range?: readonly [number, number, number] } | undefined;
  const offset = node?.range?.[0];
  return offset === undefined ? "" : `:${text.slice(0, offset).split("\n").length}`;
}
