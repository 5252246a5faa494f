import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";
import { RECORDS } from "../record-schemas.ts";

/**
 * Holds a file that a release wrote to its schema, closed, unlike the published one: what nobody described is a mistake here.
 * @throws Error where it is not what the schema says
 */
export function checkRecord(name: keyof typeof RECORDS, text: string): void {
  const closed = z.toJSONSchema(RECORDS[name][0], {
    io: "input",
    override({ jsonSchema }) {
      if (jsonSchema.properties) jsonSchema.additionalProperties = false;
    },
  });
  const isValid = new Ajv2020({ strict: false, allErrors: true }).compile(closed);
  if (isValid(JSON.parse(text))) return;
  const wrong = (isValid.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  throw new Error(`a release wrote what docs/schemas/${name} does not say:\n${wrong.join("\n")}\n${text}`);
}
