import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { z } from "zod";
import { commandOf, OUTPUTS, STREAMS } from "../outputs/schemas.ts";

const known = new Map<string, ValidateFunction>();

/** Closed, unlike the published ones: what nobody described is a mistake here. */
function validatorOf(command: string): ValidateFunction {
  const made =
    known.get(command) ??
    new Ajv2020({ strict: false, allErrors: true }).compile(z.toJSONSchema(OUTPUTS[command] ?? z.unknown(), { io: "output" }));
  known.set(command, made);
  return made;
}

/** @throws Error where what a command printed with `--json` is not what its schema says */
export function checkOutput(args: readonly string[], stdout: string): void {
  const command = commandOf(args);
  if (command === undefined || !args.includes("--json") || args.includes("--help") || stdout === "") return;
  const isStream = STREAMS.has(command) || (command === "inspect" && args.includes("--all"));
  const isValid = validatorOf(command);
  for (const text of isStream ? stdout.trimEnd().split("\n") : [stdout]) {
    if (isValid(JSON.parse(text))) continue;
    const wrong = (isValid.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
    throw new Error(`omx ${args.join(" ")} printed what docs/schemas does not say:\n${wrong.join("\n")}\n${text}`);
  }
}
