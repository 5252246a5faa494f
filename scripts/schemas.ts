import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OUTPUT_SCHEMAS } from "../src/cli/outputs/schemas.ts";
import { SCHEMAS, schemaText } from "../src/release/project/schemas.ts";
import { RECORD_SCHEMAS } from "../src/release/record-schemas.ts";

// Writes the JSON Schemas of omx.yaml, omx.deploy.yaml, of what releases leave and of what commands print to docs/schemas.
const folder = join(import.meta.dirname, "..", "docs", "schemas");
mkdirSync(join(folder, "outputs"), { recursive: true });
for (const [name, schema] of Object.entries({ ...SCHEMAS, ...RECORD_SCHEMAS, ...OUTPUT_SCHEMAS }))
  writeFileSync(join(folder, name), schemaText(schema()));
