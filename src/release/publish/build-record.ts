import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeObject } from "../../aws/objects.ts";
import type { Identity, ReleaseEnvironment } from "../environment.ts";
import type { ContainersLock } from "../images/lock.ts";
import { registryMapOf } from "../images/lock.ts";
import { artifactsBucket, PREFIXES } from "../names.ts";
import type { Project } from "../project/project.ts";
import { type BundleContent, describeContent, type ReleaseRecord } from "../promote/bundle.ts";
import type { TestRunInput } from "../testrun/state-machine.ts";
import type { Package } from "./package.ts";
import type { PublishedVersion } from "./create-version.ts";
import { compareWithLast, type Differences } from "./differences.ts";

/** build.json: what a build made, for everything that follows; a release record without its approval. */
export type BuildRecord = Omit<ReleaseRecord, "approval" | "handedOverAt" | "tests"> & {
  /** Set when no version of ours was there before. */
  readonly lastVersion?: string;
  readonly differences: Differences;
  readonly evidence: { readonly bucket: string; readonly prefix: string };
};

export const BUILD_FILE = "build.json";

export interface BuiltParts {
  readonly env: ReleaseEnvironment;
  readonly identity: Identity;
  readonly project: Project;
  readonly lock: ContainersLock;
  readonly packed: Package;
  readonly version: PublishedVersion;
  readonly tests: TestRunInput;
  readonly outputDir: string;
}

/** Writes the artifact of the build stage, and the same record where the review page reads it. */
export async function writeBuild(parts: BuiltParts): Promise<BuildRecord> {
  const { env, identity, project, version, outputDir, tests } = parts;
  const contents = bundleContents(parts);
  const evidence = { bucket: artifactsBucket(env.cicd.account, env.cicd.region), prefix: evidencePrefix(identity.workflow, version.versionName) };
  const { config } = project;
  const differences = await compareWithLast(parts);
  const record: BuildRecord = {
    format: 1, workflow: identity.workflow, version: version.versionName, commit: identity.commit, branch: identity.branch,
    pipelineExecutionId: identity.pipelineExecutionId, startedBy: identity.startedBy,
    engine: project.engine, main: project.main, tags: config.tags,
    ...(config.description && { description: config.description }), ...(config.accelerators && { accelerators: config.accelerators }),
    ...(config.storage && { storage: { type: config.storage.type, ...(config.storage.capacity !== undefined && { capacity: config.storage.capacity }) } }),
    cicd: { ...env.cicd, workflowId: version.workflowId, versionArn: version.arn },
    images: [...parts.lock.images], files: contents.map(describeContent), differences, evidence,
  };
  mkdirSync(outputDir, { recursive: true });
  for (const { name, body } of contents) writeFileSync(join(outputDir, name), body);
  const text = `${JSON.stringify(record, null, 2)}\n`;
  writeFileSync(join(outputDir, BUILD_FILE), text);
  writeFileSync(join(outputDir, "test-run.json"), JSON.stringify(tests));
  await writeObject(env.clients.s3, { bucket: evidence.bucket, key: `${evidence.prefix}/${BUILD_FILE}` }, text, "application/json");
  return record;
}

/** Where the evidence of a release lies in the artifacts bucket. */
export const evidencePrefix = (workflow: string, version: string): string => `${PREFIXES.evidence}/${workflow}/${version}`;

function bundleContents({ project, lock, packed }: BuiltParts): readonly BundleContent[] {
  const json = (name: string, value: unknown): BundleContent => ({ name, body: `${JSON.stringify(value, null, 2)}\n`, contentType: "application/json" });
  return [
    { name: "definition.zip", body: packed.zip, contentType: "application/zip" },
    json("parameter-template.json", project.parameterTemplate),
    json("container-registry-map.json", registryMapOf(lock, project.config.registryMap) ?? {}),
    json("containers.lock.json", lock),
    ...(project.readme === undefined ? [] : [{ name: "README.md", body: project.readme, contentType: "text/markdown" }]),
  ];
}
