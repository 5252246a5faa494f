import type { S3Client } from "@aws-sdk/client-s3";
import { isMissing, listObjects, readObject } from "../../aws/objects.ts";
import { type S3Uri, formatS3Uri, parseS3Uri } from "../../kit/s3-uri.ts";
import { PREFIXES } from "../../release/names.ts";
import { RECORD_FILE, type ReleaseRecord } from "../../release/promote/bundle.ts";
import type { ReleaseResult } from "../../release/promote/result.ts";
import { BUILD_FILE, type BuildRecord } from "../../release/publish/build-record.ts";
import type { TestReport, TestResult } from "../../release/testrun/report.ts";

/** A file to look at or to download. */
export interface EvidenceFile {
  readonly path: string;
  readonly uri: string;
  readonly bytes: number;
}

/** What a release leaves for whoever approves it. */
export interface Evidence {
  readonly build: BuildRecord;
  readonly tests?: TestReport;
  /** What was handed to production, and what each account answered. */
  readonly released?: ReleaseRecord & { readonly results: readonly ReleaseResult[] };
  /** build.json, tests.html and others. */
  readonly reports: readonly EvidenceFile[];
  /** Outputs of test runs by the test's name. */
  readonly outputs: Readonly<Record<string, readonly EvidenceFile[]>>;
}

export interface EvidenceReader {
  /** The record of the build of an execution; undefined before there is one. */
  findBuild(workflow: string, execution: { readonly id: string; readonly commit: string }): Promise<BuildRecord | undefined>;
  /** Everything that is there of a build. */
  read(build: BuildRecord, tested: boolean): Promise<Evidence>;
}

/** Most that is listed of one test's outputs. */
export const LISTED = 500;

/** Reads evidence from the artifacts bucket; which version an execution made is remembered once it is known. */
export function createEvidenceReader(s3: S3Client, bucket: string): EvidenceReader {
  const prefixes = new Map<string, S3Uri>();

  async function findBuild(
    workflow: string,
    { id, commit }: { readonly id: string; readonly commit: string },
  ): Promise<BuildRecord | undefined> {
    const known = prefixes.get(`${workflow}/${id}`);
    if (known) return readJson<BuildRecord>(s3, known);
    let sameCommit: BuildRecord | undefined;
    for (const key of await buildsOf(workflow)) {
      const build = await readJson<BuildRecord>(s3, { bucket, key });
      // The same commit again finds the same version, whose record then names the later execution.
      if (build?.commit === commit && commit !== "") sameCommit = build;
      if (build?.pipelineExecutionId !== id) continue;
      prefixes.set(`${workflow}/${id}`, { bucket, key });
      return build;
    }
    return sameCommit;
  }

  async function buildsOf(workflow: string): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of listObjects(s3, { bucket, key: `${PREFIXES.evidence}/${workflow}/` }))
      if (key.endsWith(`/${BUILD_FILE}`)) keys.push(key);
    return keys.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  }

  async function read(build: BuildRecord, tested: boolean): Promise<Evidence> {
    const at = { bucket: build.evidence.bucket, key: build.evidence.prefix };
    const tests = tested ? await readJson<TestReport>(s3, { bucket: at.bucket, key: `${at.key}/tests.json` }) : undefined;
    const released = await readJson<NonNullable<Evidence["released"]>>(s3, { bucket: at.bucket, key: `${at.key}/${RECORD_FILE}` });
    const reports = (await listFiles(s3, { bucket: at.bucket, key: `${at.key}/` })).filter(
      ({ path }) => tested || !path.startsWith("tests."),
    );
    const outputs = await Promise.all((tests?.tests ?? []).map(async (test) => [test.name, await outputsOf(s3, test)] as const));
    return { build, ...(tests && { tests }), ...(released && { released }), reports, outputs: Object.fromEntries(outputs) };
  }

  return { findBuild, read };
}

async function outputsOf(s3: S3Client, { outputUri }: TestResult): Promise<readonly EvidenceFile[]> {
  if (!outputUri) return [];
  const { bucket, key } = parseS3Uri(outputUri);
  return listFiles(s3, { bucket, key: `${key.replace(/\/+$/, "")}/` });
}

async function listFiles(s3: S3Client, at: S3Uri): Promise<readonly EvidenceFile[]> {
  const files: EvidenceFile[] = [];
  for await (const { key, size } of listObjects(s3, at)) {
    if (files.length === LISTED) break;
    files.push({ path: key.slice(at.key.length), uri: formatS3Uri({ bucket: at.bucket, key }), bytes: size });
  }
  return files;
}

/** Every file that belongs to a release: nothing else is handed out. */
export const filesOf = ({ reports, outputs }: Evidence): readonly EvidenceFile[] => [...reports, ...Object.values(outputs).flat()];

async function readJson<T>(s3: S3Client, at: S3Uri): Promise<T | undefined> {
  try {
    return JSON.parse((await readObject(s3, at)).toString("utf8")) as T;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
