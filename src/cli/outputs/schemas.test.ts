import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { schemaText } from "../../release/project/schemas.ts";
import { createCli } from "../terminal.ts";
import { buildProgram } from "../program.ts";
import { OUTPUT_SCHEMAS, OUTPUTS } from "./schemas.ts";

const docs = join(import.meta.dirname, "../../../docs/schemas");

test("every command that takes --json has its schema, and there is none of another", async () => {
  const program = await buildProgram(createCli(), []);
  const named = (command: typeof program, path: readonly string[]): readonly string[] =>
    command.commands.length > 0
      ? command.commands.flatMap((one) => named(one, [...path, one.name()]))
      : command.options.some(({ long }) => long === "--json")
        ? [path.join(" ")]
        : [];
  expect(Object.keys(OUTPUTS).toSorted()).toEqual(named(program, []).toSorted());
});

test("the published schemas of outputs are what tests hold the commands to (npm run schemas writes them)", () => {
  for (const [file, schema] of Object.entries(OUTPUT_SCHEMAS))
    expect([file, readFileSync(join(docs, file), "utf8")]).toEqual([file, schemaText(schema())]);
  expect(
    readdirSync(join(docs, "outputs"))
      .map((name) => `outputs/${name}`)
      .toSorted(),
  ).toEqual(Object.keys(OUTPUT_SCHEMAS).toSorted());
});
