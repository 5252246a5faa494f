import { z } from "zod";
import { ReleaseError } from "../errors.ts";
import { BuildTarget, eachTargetOnce, Image } from "./omx-yaml-image.ts";
import { RegistryMap } from "./omx-yaml-registry-map.ts";
import { readYaml } from "./yaml-problems.ts";

const path = z
  .string()
  .min(1)
  .refine((text) => !text.startsWith("/") && !text.split("/").includes(".."), "a path inside the repository is needed");

const isRegExp = (text: string): boolean => {
  try {
    return new RegExp(text, "m") instanceof RegExp;
  } catch {
    return false;
  }
};

const matcher = z
  .strictObject({
    file: z.string().min(1).optional().describe("The output's file below the run's output folder; `*` and `**` may stand in it"),
    output: z.string().min(1).optional().describe("An output of the workflow by its name in `outputs.json`"),
    exists: z.boolean().optional(),
    minBytes: z.int().nonnegative().optional(),
    maxBytes: z.int().nonnegative().optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    contains: z.string().optional().describe("The text is there, exactly"),
    matches: z
      .string()
      .refine(isRegExp, "this is no regular expression")
      .optional()
      .describe("A regular expression that some line matches"),
    json: z
      .strictObject({
        path: z.string(),
        equals: z.unknown().optional(),
        near: z.number().optional(),
        tolerance: z.number().nonnegative().optional(),
        min: z.number().optional(),
        max: z.number().optional(),
      })
      .optional()
      .describe('A path in a JSON file (`a.b[0]["c.d"]`) and what is expected there'),
    equals: z.unknown().optional(),
    near: z.number().optional(),
    tolerance: z.number().nonnegative().optional(),
    sameLinesAs: path.optional().describe("A file of the repository with the same lines in any order"),
    sameContentAs: path.optional().describe("A file of the repository with the same content; compressed ones are compared unpacked"),
    sameAsLastRelease: z
      .boolean()
      .optional()
      .describe("Equal to the output of the last version that reached production, or, before there is one, of the last whose tests passed"),
  })
  .refine((value) => (value.file === undefined) !== (value.output === undefined), "give either file or output");

const build = z.strictObject({
  source: path.default("."),
  dockerfile: path.default("Dockerfile"),
  target: BuildTarget,
  args: z.record(z.string(), z.string()).default({}),
});

const test = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "letters, digits, '.', '_' and '-', at most 64"),
  parameters: z.union([path, z.record(z.string(), z.unknown())]).default({}),
  data: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
  expect: z.array(matcher).default([]),
  // A pipeline waits seven days for a state machine (codepipeline/latest/userguide/limits.html).
  timeout: z.number().positive().max(10_000).default(120).describe("Minutes, at most 10,000: a pipeline waits seven days for all tests"),
  storage: z.strictObject({ type: z.enum(["STATIC", "DYNAMIC"]), capacity: z.int().positive().optional() }).optional(),
  cache: z
    .strictObject({
      id: z.string().regex(/^\d{1,18}$/, "the id of a run cache is a number, in quotes"),
      behavior: z.enum(["CACHE_ALWAYS", "CACHE_ON_FAILURE"]).default("CACHE_ON_FAILURE"),
    })
    .optional()
    .describe("A HealthOmics run cache, which must exist: unchanged tasks are not run again"),
});

/** omx.yaml: a user's only file. */
export const OmxYaml = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,40}$/, "lower-case letters, digits and hyphens, at most 41")
      .describe("The workflow's name in HealthOmics and in omx.deploy.yaml"),
    version: z
      .string()
      .regex(/^(0|[1-9]\d*)\.(0|[1-9]\d*)$/, 'major.minor in quotes, as in "1.2"; the patch is counted by omx')
      .describe("major.minor, yours; omx counts the patch"),
    engine: z.enum(["WDL", "NEXTFLOW", "CWL", "WDL_LENIENT"]).optional().describe("Found where absent"),
    main: path.optional().describe("The main file; found where absent"),
    description: z.string().max(256).optional().describe("Shown in HealthOmics"),
    accelerators: z.enum(["GPU"]).optional(),
    parameterTemplate: path.optional().describe("Path of a parameter template; inferred where absent"),
    readme: path.optional().describe("Path of the README that HealthOmics shows"),
    tags: z.record(z.string(), z.string()).default({}),
    storage: z.strictObject({ type: z.enum(["STATIC", "DYNAMIC"]), capacity: z.int().min(0).max(100_000).optional() }).optional(),
    exclude: z.array(z.string()).default([]).describe("Globs of files that are not packed into the definition"),
    registryMap: RegistryMap.optional().describe("Added to the container registry map that omx makes; yours comes first"),
    // `repository` (definitionRepository) is not released by omx yet: saying so beats packing a ZIP all the same.
    source: z.literal("zip", 'only "zip" is released so far').default("zip"),
    images: z
      .strictObject({
        extra: z.array(Image).default([]).describe("Images that no definition names"),
        substitute: z.record(z.string(), Image).default({}).describe("What is brought in place of an image that the definition names"),
        build: z.array(build).default([]).superRefine(eachTargetOnce),
        promote: z
          .enum(["share", "copy"])
          .default("share")
          .describe("`share`: production reads the cicd account's images; `copy`: the same digests are copied into its own ECR"),
      })
      .prefault({}),
    tests: z.array(test).default([]).describe("Runs on test data, before every approval"),
    production: z
      .strictObject({
        smoke: z.string().optional().describe("The name of a test: it is run in production too, when the version is there"),
      })
      .prefault({}),
  })
  .superRefine(({ tests, production: { smoke } }, { addIssue }) => {
    if (smoke !== undefined && !tests.some(({ name }) => name === smoke))
      addIssue({
        code: "custom",
        path: ["production", "smoke"],
        message: `there is no test ${smoke}; the tests are ${tests.map(({ name }) => name).join(", ") || "none"}`,
      });
  });

export type OmxYaml = z.infer<typeof OmxYaml>;
export type TestCase = OmxYaml["tests"][number];
export type Matcher = TestCase["expect"][number];
export type ImageBuild = OmxYaml["images"]["build"][number];

/**
 * Reads omx.yaml.
 * @param file how messages name it
 * @throws ReleaseError ProjectInvalid with file:line:column and what is allowed, for every problem at once
 */
export function parseOmxYaml(text: string, file = "omx.yaml"): OmxYaml {
  const read = readYaml(text, { schema: OmxYaml, file });
  if ("data" in read) return read.data;
  throw new ReleaseError("ProjectInvalid", {
    says: `${file} is not what omx can release`,
    fix: `correct the named places (${file})`,
    blame: "user",
    details: read.problems,
  });
}
