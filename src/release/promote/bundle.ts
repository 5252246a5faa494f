import { createHash } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { z } from "zod";
import { readObject, statObject, writeObject } from "../../aws/objects.ts";
import { formatS3Uri } from "../../kit/s3-uri.ts";
import { contentDigest } from "../approval/content.ts";
import { ReleaseError } from "../errors.ts";

const bundleFile = z.object({ name: z.string().regex(/^[A-Za-z0-9._-]+$/), sha256: z.string(), bytes: z.number() });

/** release.json, the last file of a bundle: what it holds, where it comes from, who let it through. */
export const ReleaseRecord = z.object({
  format: z.literal(1),
  workflow: z.string(),
  version: z.string(),
  commit: z.string(),
  branch: z.string(),
  pipelineExecutionId: z.string(),
  startedBy: z.string(),
  /** Of the commit. */
  author: z.string().optional(),
  engine: z.enum(["WDL", "NEXTFLOW", "CWL", "WDL_LENIENT"]),
  main: z.string(),
  description: z.string().optional(),
  accelerators: z.literal("GPU").optional(),
  storage: z.object({ type: z.enum(["STATIC", "DYNAMIC"]), capacity: z.number().optional() }).optional(),
  tags: z.record(z.string(), z.string()),
  cicd: z.object({ account: z.string(), region: z.string(), workflowId: z.string(), versionArn: z.string() }),
  /** Releases of before have neither platforms nor bytes: ImageFacts says what they are. */
  images: z.array(
    z.object({
      image: z.string(),
      source: z.string(),
      target: z.string(),
      digest: z.string(),
      /** As in the lock: LockedImage says of which. */
      platform: z.string().optional(),
      platforms: z.array(z.string()).optional(),
      bytes: z.number().optional(),
    }),
  ),
  /** Whether production reads the cicd account's images or has copies of its own. */
  promote: z.enum(["share", "copy"]).default("share"),
  /** A test that is run in production when the version is there. */
  smoke: z
    .object({
      test: z.string(),
      parameters: z.record(z.string(), z.unknown()),
      /** `s3://bucket/prefix` of its data in the cicd account; parameters and sample sheets name files below it. */
      data: z.string(),
      timeoutSeconds: z.number(),
      storageType: z.enum(["STATIC", "DYNAMIC"]),
      storageCapacity: z.number().optional(),
    })
    .optional(),
  tests: z.object({ summary: z.string(), evidence: z.string() }),
  approval: z.object({ by: z.string(), at: z.string(), comment: z.string() }),
  /** ISO time of the hand-over: production's answer names it. */
  handedOverAt: z.string(),
  files: z.array(bundleFile),
});
export type ReleaseRecord = z.infer<typeof ReleaseRecord>;

/** The images of a release. */
export type ReleasedImages = readonly Readonly<ReleaseRecord["images"][number]>[];

/** A bundle that was verified. */
export interface OpenBundle {
  readonly record: ReleaseRecord;
  /** contentDigest of its record. */
  readonly content: string;
  /** The bytes of a file of it. */
  file(name: string): Promise<Buffer>;
}

export const RECORD_FILE = "release.json";

/** Where the bundle of a release lies. */
export const bundlePrefix = ({ workflow, version }: Pick<ReleaseRecord, "workflow" | "version">): string => `${workflow}/${version}`;

/** A file of a bundle. */
export interface BundleContent {
  readonly name: string;
  readonly body: Uint8Array | string;
  readonly contentType: string;
}

export const describeContent = ({ name, body }: BundleContent): ReleaseRecord["files"][number] => ({
  name,
  sha256: createHash("sha256").update(body).digest("hex"),
  bytes: Buffer.byteLength(body as string | Uint8Array),
});

/** Uploads a bundle, `release.json` last: whoever sees that file sees all others. The same bundle again moves nothing. */
export async function handOver(
  s3: S3Client,
  bucket: string,
  record: ReleaseRecord,
  contents: readonly BundleContent[],
): Promise<{ readonly uri: string; readonly uploaded: number }> {
  const prefix = bundlePrefix(record);
  let uploaded = 0;
  for (const content of contents) {
    const key = `${prefix}/${content.name}`;
    const there = await statObject(s3, { bucket, key });
    if (there?.sha256 === describeContent(content).sha256) continue;
    await writeObject(s3, { bucket, key }, content.body, content.contentType);
    uploaded++;
  }
  await writeObject(s3, { bucket, key: `${prefix}/${RECORD_FILE}` }, `${JSON.stringify(record, null, 2)}\n`, "application/json");
  return { uri: formatS3Uri({ bucket, key: prefix }), uploaded };
}

/**
 * Reads and verifies a bundle: every file that `release.json` names is there and whole.
 * @throws ReleaseError BundleIncomplete naming each file that is missing or differs
 */
export async function openBundle(s3: S3Client, bucket: string, prefix: string): Promise<OpenBundle> {
  const file = (name: string) => readObject(s3, { bucket, key: `${prefix}/${name}` });
  const written: unknown = JSON.parse((await file(RECORD_FILE)).toString("utf8"));
  const parsed = ReleaseRecord.safeParse(written);
  const where = formatS3Uri({ bucket, key: prefix });
  if (!parsed.success)
    throw incomplete(
      where,
      parsed.error.issues.map((issue) => `${RECORD_FILE}: ${issue.path.join(".")}: ${issue.message}`),
    );
  const record = parsed.data;
  const problems: string[] = [];
  if (bundlePrefix(record) !== prefix) problems.push(`${RECORD_FILE} is of ${bundlePrefix(record)}, not of this folder`);
  for (const { name, sha256, bytes } of record.files) {
    const body = await file(name).catch(() => undefined);
    if (!body) problems.push(`${name} is missing`);
    else if (createHash("sha256").update(body).digest("hex") !== sha256)
      problems.push(`${name} has ${body.byteLength} bytes that are not the ${bytes} that were released`);
  }
  if (problems.length > 0) throw incomplete(where, problems);
  return { record, content: contentDigest(written as object), file };
}

const incomplete = (where: string, details: readonly string[]): ReleaseError =>
  new ReleaseError("BundleIncomplete", {
    says: `the bundle ${where} is not whole`,
    fix: "promote the release again: what is there is not moved again",
    blame: "us",
    details,
  });
