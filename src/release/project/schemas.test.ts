import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { DeployConfig } from "./deploy-config.ts";
import { OmxYaml } from "./omx-yaml.ts";
import { SCHEMAS, schemaText } from "./schemas.ts";
import { readYaml } from "./yaml-problems.ts";

const root = join(import.meta.dirname, "../../..");

test.each([
  ["omx.yaml", OmxYaml],
  ["omx.deploy.yaml", DeployConfig],
] as const)("the README's %s is taken", (file, schema) => {
  const [, example = ""] =
    new RegExp(`^## ${file.replaceAll(".", "\\.")}\n.*?\`\`\`yaml\n(.*?)\`\`\``, "ms").exec(
      readFileSync(join(root, "README.md"), "utf8"),
    ) ?? [];
  expect(example.length).toBeGreaterThan(500);
  expect(readYaml(example, { schema, file })).not.toHaveProperty("problems");
});

describe.each(Object.keys(SCHEMAS))("%s", (name) => {
  const published = readFileSync(join(root, "docs", "schemas", name), "utf8");

  test("is what the code reads (npm run schemas writes it)", () => {
    expect(published).toBe(schemaText(SCHEMAS[name]?.() ?? {}));
  });

  test("has no key that the README does not name", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    expect(keysOf(JSON.parse(published)).filter((key) => !new RegExp(`\\b${key}\\b`).test(readme))).toEqual([]);
  });

  test("lets the repository's own files through, and no key that nobody knows", () => {
    const isValid = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(published) as object);
    const files =
      name === "omx.schema.json"
        ? ["phage-variants", "reads-qc-nf", "gc-content-cwl"].map((example) => `examples/${example}/omx.yaml`)
        : ["omx.deploy.yaml"];
    for (const file of files) {
      const document = parse(readFileSync(join(root, file), "utf8")) as object;
      expect([file, isValid(document), isValid.errors]).toEqual([file, true, null]);
      expect(isValid({ ...document, surprise: true })).toBe(false);
    }
  });
});

/** Those of HealthOmics's registry map are HealthOmics's to explain. */
const EXPLAINED_ELSEWHERE: ReadonlySet<string> = new Set(["registryMappings", "imageMappings"]);

/** The keys that a schema's objects may have, at any depth. */
function keysOf(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const own = "properties" in schema ? Object.entries(schema.properties as object) : [];
  const within = Object.entries(schema).flatMap(([name, part]) => (name === "properties" ? [] : keysOf(part)));
  return [...own.flatMap(([key, part]) => [key, ...(EXPLAINED_ELSEWHERE.has(key) ? [] : keysOf(part))]), ...within];
}
