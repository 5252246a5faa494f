import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SCHEMAS, schemaText } from "../src/release/project/schemas.ts";

// Writes the JSON Schemas of omx.yaml and omx.deploy.yaml to docs/schemas.
const folder = join(import.meta.dirname, "..", "docs", "schemas");
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(SCHEMAS)) writeFileSync(join(folder, name), schemaText(schema()));
