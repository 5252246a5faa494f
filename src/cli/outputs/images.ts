import { z } from "zod";

const bytes = z.int().nonnegative();
const digest = z.string().regex(/^sha(256|512):[0-9a-f]+$/);
const seconds = z.number().nonnegative();
const problems = z.array(z.string()).describe("What differs; empty: it is what it should be");

/** What `omx images …` prints with `--json`, by the command. */
export const IMAGES = {
  "images plan": z.object({
    images: z.array(
      z.object({
        source: z.string().describe("As it was named; of an image that is built, the folder of its source"),
        also: z.array(z.string()).optional().describe("Other spellings of the same image"),
        target: z.string().describe("Where it would go in the account's ECR"),
        status: z.enum(["PULL", "MOVED", "SKIP", "BUILD", "FAILED"]),
        digest: digest.optional().describe("Upstream"),
        present: digest.optional().describe("In ECR under this tag now"),
        bytes: bytes
          .optional()
          .describe("Compressed bytes of the whole image, all platforms that would be brought; 0 where it is there already"),
        missingBytes: bytes.optional().describe("Of these, what its repository lacks"),
        reason: z.string().optional(),
      }),
    ),
    missingBytes: bytes.describe("Of all images together, a layer that several share counted once"),
  }),
  "images pull": z.object({
    images: z.array(
      z.object({
        source: z.string(),
        target: z.string().describe("In the account's ECR"),
        digest: digest.optional().describe("What is in the target now; absent where it failed"),
        status: z.enum(["PULLED", "SKIPPED", "FAILED"]),
        bytesMoved: bytes,
        bytesSaved: bytes.describe("Bytes that were needed and did not have to be sent"),
        requests: z.int().nonnegative().describe("To both registries, without those that only ask for a token"),
        seconds,
        reason: z.string(),
      }),
    ),
    bytesMoved: bytes,
    requests: z.int().nonnegative(),
    seconds,
  }),
  "images build": z.object({
    source: z.string(),
    target: z.string().describe("In the account's ECR"),
    status: z.enum(["BUILT", "SKIPPED", "FAILED"]),
    digest: digest.optional(),
    bytes: bytes.optional().describe("Compressed bytes of the image"),
    bytesMoved: bytes.optional(),
    bytesSaved: bytes.optional(),
    seconds,
    engine: z.enum(["docker", "podman", "buildah"]).optional().describe("What ran its RUN lines"),
    reason: z.string(),
  }),
  "images list": z.object({
    images: z.array(
      z.object({
        repository: z.string(),
        digest,
        tags: z.array(z.string()),
        sizeBytes: bytes.describe("As ECR counts them: compressed, of an index its largest image"),
        pushedAt: z.string().describe("ISO time"),
        source: z.string().optional().describe("Where it was pulled from; of a built one what its label says"),
        sourceHash: z.string().optional().describe("Of a built image"),
        commit: z.string().optional().describe("Of a built image"),
      }),
    ),
    sizeBytes: bytes,
  }),
  "images lock": z.object({
    file: z.string(),
    written: z.boolean().describe("Whether the file has changed"),
    images: z.array(
      z.object({
        image: z.string().describe("As the definition writes it"),
        source: z.string(),
        status: z.enum(["SAME", "NEW", "MOVED", "NOT_STAGED", "REMOVED", "FAILED"]),
        digest: digest.optional().describe("What it is now"),
        before: digest.optional().describe("What the lock said"),
        reason: z.string().optional(),
      }),
    ),
  }),
  "images verify": z.object({
    ok: z.boolean(),
    images: z.array(
      z.object({
        image: z.string(),
        target: z.string(),
        digest,
        view: z.string().describe("Who looked: cicd or production"),
        manifests: z.int().nonnegative(),
        hashedBytes: bytes.describe("Bytes whose digest was computed anew"),
        problems,
      }),
    ),
    referrers: z
      .array(z.object({ image: z.string(), target: z.string(), digest, subject: digest, type: z.string(), problems }))
      .describe("Signatures, SBOMs and attestations"),
    problems,
  }),
} as const;
