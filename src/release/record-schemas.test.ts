import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { schemaText } from "./project/schemas.ts";
import { RECORD_SCHEMAS } from "./record-schemas.ts";
import { checkRecord } from "./testing/checked-record.ts";

test.each(Object.keys(RECORD_SCHEMAS))("the published %s is what tests hold written files to (npm run schemas writes it)", (name) => {
  const published = readFileSync(join(import.meta.dirname, "../../docs/schemas", name), "utf8");
  expect(published).toBe(schemaText(RECORD_SCHEMAS[name]?.() ?? {}));
});

test("a record with a member that nobody described is none", () => {
  const image = { image: "a", source: "a", target: "a", digest: "sha256:0", platform: "all" };
  checkRecord("containers.lock.schema.json", JSON.stringify({ version: 1, images: [image] }));
  expect(() => checkRecord("containers.lock.schema.json", JSON.stringify({ version: 1, images: [{ ...image, size: 1 }] }))).toThrow(
    /does not say:\n\/images\/0 must NOT have additional properties {"additionalProperty":"size"}/,
  );
});
