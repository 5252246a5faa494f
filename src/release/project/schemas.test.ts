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

test.each([["omx.yaml", OmxYaml], ["omx.deploy.yaml", DeployConfig]] as const)("the README's %s is taken", (file, schema) => {
  const [, example = ""] = new RegExp(`^## ${file.replaceAll(".", "\\.")}\n.*?\`\`\`yaml\n(.*?)\`\`\``, "ms").exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  expect(example.length).toBeGreaterThan(500);
  expect(readYaml(example, { schema, file })).not.toHaveProperty("problems");
});

describe.each(Object.keys(SCHEMAS))("%s", (name) => {
  const published = readFileSync(join(root, "docs", "schemas", name), "utf8");

  test("is what the code reads (npm run schemas writes it)", () => {
    expect(published).toBe(schemaText(SCHEMAS[name]?.() ?? {}));
  });

  test("lets the repository's own files through, and no key that nobody knows", () => {
    const isValid = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(published) as object);
    const files = name === "omx.schema.json" ? ["phage-variants", "reads-qc-nf", "gc-content-cwl"].map((example) => `examples/${example}/omx.yaml`) : ["omx.deploy.yaml"];
    for (const file of files) {
      const document = parse(readFileSync(join(root, file), "utf8")) as object;
      expect([file, isValid(document), isValid.errors]).toEqual([file, true, null]);
      expect(isValid({ ...document, surprise: true })).toBe(false);
    }
  });
});
