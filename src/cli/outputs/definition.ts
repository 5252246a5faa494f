import { z } from "zod";

const engine = z.enum(["WDL", "NEXTFLOW", "CWL"]);
const at = { file: z.string(), line: z.int().positive() };
const diagnostics = z.array(
  z.object({
    rule: z.string(),
    severity: z.enum(["error", "warning", "info"]),
    file: z.string().describe("Empty for one of the whole definition"),
    line: z.int().positive(),
    column: z.int().positive(),
    message: z.string(),
  }),
);

/** What commands on a definition or its repository print with `--json`, by the command. */
export const DEFINITION = {
  init: z.object({ path: z.string(), written: z.array(z.string()) }),
  check: z.object({
    ok: z.boolean(),
    name: z.string().optional(),
    version: z.string().optional(),
    engine: z.enum(["WDL", "WDL_LENIENT", "NEXTFLOW", "CWL"]).optional(),
    main: z.string().optional(),
    parameters: z.object({ all: z.int(), required: z.int() }).optional(),
    definition: z
      .object({ files: z.int(), bytes: z.int().describe("Packed"), sha256: z.string(), route: z.enum(["request", "s3"]) })
      .optional(),
    images: z.object({ pulls: z.array(z.string()), builds: z.array(z.string()) }).optional(),
    tests: z.array(z.object({ name: z.string(), problems: z.array(z.string()) })).optional(),
    diagnostics,
    problems: z.array(z.object({ message: z.string(), fix: z.string() })).describe("What keeps the repository from being released"),
  }),
  inspect: z.object({
    path: z.string(),
    engine: engine.optional(),
    languageVersion: z.string().optional(),
    main: z.string().optional(),
    name: z.string().optional(),
    version: z.string().optional(),
    parameterTemplate: z
      .record(z.string(), z.object({ description: z.string().optional(), optional: z.boolean().optional() }))
      .describe("What HealthOmics would store"),
    parameters: z.array(
      z.object({
        name: z.string(),
        type: z.string().describe("As the language writes it"),
        optional: z.boolean(),
        default: z.unknown().optional(),
        ...at,
      }),
    ),
    images: z.array(
      z.object({
        image: z.string(),
        task: z.string(),
        ...at,
        condition: z.string().optional(),
        input: z.string().optional(),
        how: z.enum(["literal", "variable", "default", "member", "override", "config", "selector", "profile", "ternary", "closure"]),
      }),
    ),
    unresolved: z
      .array(z.object({ expression: z.string(), task: z.string(), ...at, input: z.string().optional() }))
      .describe("Images that only an input can decide"),
    diagnostics,
  }),
  lint: diagnostics,
  run: z.object({
    runId: z.string(),
    status: z.string(),
    message: z.string().optional(),
    workflowId: z.string(),
    version: z.string(),
    outputUri: z.string().optional(),
    outputs: z.record(z.string(), z.unknown()).optional(),
    files: z.array(z.object({ uri: z.string(), size: z.int() })).optional(),
  }),
  publish: z.object({
    workflowId: z.string(),
    versionName: z.string(),
    arn: z.string(),
    status: z.string(),
    message: z.string().optional(),
  }),
} as const;
