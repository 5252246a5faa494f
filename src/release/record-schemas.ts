import { z } from "zod";
import { ContainersLockFile } from "./images/lock/lock-file.ts";
import { ReleaseRecord } from "./promote/bundle.ts";

// What a release writes, for who reads it by a program. Tests hold files that releases have written to these.

const change = z.object({
  name: z.string(),
  change: z.enum(["added", "removed", "changed"]),
  before: z.string().optional(),
  after: z.string().optional(),
});

const Build = ReleaseRecord.omit({ approval: true, handedOverAt: true, tests: true }).extend({
  differences: z.object({
    since: z.string().optional().describe("The version compared with; absent for a first release"),
    isSinceUnreleased: z.boolean().optional().describe("Set where no version was released yet: the one compared with was built alone"),
    parameters: z.array(change),
    images: z.array(change.extend({ bytesBefore: z.number().optional() })),
    areImagesUnknown: z.boolean().optional().describe("Set where that version left no record of its images"),
    files: z.array(z.string()),
    breaking: z.string().optional().describe("What callers of the last version would miss"),
  }),
  evidence: z.object({ bucket: z.string(), prefix: z.string() }).describe("Where the artifacts bucket has what an approver looks at"),
});

const referrers = z.object({
  image: z.string(),
  referrers: z.array(z.object({ digest: z.string(), type: z.string(), subject: z.string() })),
  problem: z.string().optional(),
});

const result = z.object({
  account: z.string(),
  region: z.string(),
  status: z.enum(["ACTIVE", "FAILED", "REFUSED"]),
  handedOverAt: z.string(),
  message: z.string(),
  workflowId: z.string().optional(),
  versionArn: z.string().optional(),
  at: z.string().optional(),
  referrers: z.array(referrers).optional(),
});

const Release = ReleaseRecord.extend({
  results: z
    .array(result)
    .optional()
    .describe("What each production account answered; in the record among the evidence, not in that of the bundle"),
});

/** The records of a release by the names of their schemas' files in `docs/schemas`. */
export const RECORDS = {
  "containers.lock.schema.json": [ContainersLockFile, "containers.lock.json: which bytes each image of a workflow is"],
  "build.schema.json": [Build, "build.json: what a release's build made, beside the evidence of the release"],
  "release.schema.json": [Release, "release.json: what a release is, where it comes from and who let it through"],
} as const satisfies Readonly<Record<string, readonly [z.ZodType, string]>>;

/** JSON Schemas (2020-12) of the records: open, as a member may be added to any. */
export const RECORD_SCHEMAS: Readonly<Record<string, () => object>> = Object.fromEntries(
  Object.entries(RECORDS).map(([name, [schema, title]]) => [name, () => ({ ...z.toJSONSchema(schema, { io: "input" }), title })]),
);
