import { z } from "zod";
import { ACCOUNTS } from "./accounts.ts";
import { DEFINITION } from "./definition.ts";
import { IMAGES } from "./images.ts";
import { RELEASE } from "./release.ts";

/** What each command prints with `--json`. Commands do not load this: they print what their types say, and tests hold that to these. */
export const OUTPUTS: Readonly<Record<string, z.ZodType>> = { ...DEFINITION, ...IMAGES, ...RELEASE, ...ACCOUNTS };

/** Those that print a document a line. */
export const STREAMS: ReadonlySet<string> = new Set(["release watch", "release logs"]);

/** JSON Schemas (2020-12) of the outputs by the names of their files below `docs/schemas`: open, as a member may be added to any. */
export const OUTPUT_SCHEMAS: Readonly<Record<string, () => object>> = Object.fromEntries(
  Object.entries(OUTPUTS).map(([command, schema]) => [
    `outputs/${command.replaceAll(" ", "-")}.schema.json`,
    () => ({ ...z.toJSONSchema(schema, { io: "input" }), title: `omx ${command} --json${STREAMS.has(command) ? ", each line" : ""}` }),
  ]),
);

/** The command that these arguments call, where its output is described. */
export const commandOf = (args: readonly string[]): string | undefined =>
  [args.slice(0, 2).join(" "), args[0] ?? ""].find((name) => Object.hasOwn(OUTPUTS, name));
