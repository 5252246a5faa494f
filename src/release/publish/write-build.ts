import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeObject } from "../../aws/objects.ts";
import { readImageFacts } from "../images/facts.ts";
import { formatLock, LOCK_FILE } from "../images/lock/lock-file.ts";
import { registryMapOf } from "../images/registry-map.ts";
import { workshopClient } from "../images/workshop.ts";
import { formatS3Uri } from "../../kit/s3-uri.ts";
import { artifactsBucket } from "../names.ts";
import { testDataAt } from "../testrun/prepare.ts";
import { type BundleContent, describeContent } from "../promote/bundle.ts";
import { BUILD_FILE, type BuildRecord, type BuiltParts, evidencePrefix } from "./build-record.ts";
import { compareWithLast } from "./differences.ts";

/** Writes the artifact of the build stage, and the same record where the review page reads it. */
export async function writeBuild(parts: BuiltParts): Promise<BuildRecord> {
  const { env, outputDir, tests } = parts;
  const contents = bundleContents(parts);
  const record = await recordOf(parts, contents);
  mkdirSync(outputDir, { recursive: true });
  for (const { name, body } of contents) writeFileSync(join(outputDir, name), body);
  const text = `${JSON.stringify(record, null, 2)}\n`;
  writeFileSync(join(outputDir, BUILD_FILE), text);
  writeFileSync(join(outputDir, "test-run.json"), JSON.stringify(tests));
  const { bucket, prefix } = record.evidence;
  await writeObject(env.clients.s3, { bucket, key: `${prefix}/${BUILD_FILE}` }, text, "application/json");
  return record;
}

async function recordOf(parts: BuiltParts, contents: readonly BundleContent[]): Promise<BuildRecord> {
  const { env, identity, project, version } = parts;
  const { config } = project;
  const differences = await compareWithLast(parts);
  return {
    format: 1,
    workflow: identity.workflow,
    version: version.versionName,
    commit: identity.commit,
    branch: identity.branch,
    pipelineExecutionId: identity.pipelineExecutionId,
    startedBy: identity.startedBy,
    ...(identity.author && { author: identity.author }),
    engine: project.engine,
    main: project.main,
    tags: config.tags,
    ...(config.description && { description: config.description }),
    ...(config.accelerators && { accelerators: config.accelerators }),
    ...(config.storage && { storage: storageOf(config.storage) }),
    cicd: { ...env.cicd, workflowId: version.workflowId, versionArn: version.arn },
    images: await imagesOf(parts),
    promote: config.images.promote,
    ...smokeOf(parts),
    files: contents.map(describeContent),
    differences,
    evidence: {
      bucket: artifactsBucket(env.cicd.account, env.cicd.region),
      prefix: evidencePrefix(identity.workflow, version.versionName),
    },
  };
}

const storageOf = ({ type, capacity }: NonNullable<BuiltParts["project"]["config"]["storage"]>): BuildRecord["storage"] => ({
  type,
  ...(capacity !== undefined && { capacity }),
});

/** The images with what an approver is told of them; a release does not fail for want of that. */
async function imagesOf({ env, lock }: BuiltParts): Promise<BuildRecord["images"]> {
  const { clients, cicd, clock, target } = env;
  await using client = workshopClient({
    ecr: clients.ecr,
    place: cicd,
    clock,
    upstreams: {},
    proxy: target.proxy,
    ...(target.endpoint && { endpoint: target.endpoint }),
  });
  return await Promise.all(
    lock.images.map(async (image) => {
      const facts = await readImageFacts(client, image).catch((error: Error) => {
        env.emit({ type: "note", text: `size and platform of ${image.image} are not known: ${error.name}: ${error.message}` });
        return {};
      });
      return { ...image, ...facts };
    }),
  );
}

/** The smoke run that omx.yaml asks for, with what staging made of its test. */
function smokeOf({ project, identity, version, tests, env }: BuiltParts): Pick<BuildRecord, "smoke"> {
  const found = tests.tests.find(({ name }) => name === project.config.production.smoke);
  if (!found) return {};
  const { name: test, parameters, timeoutSeconds, storageType, storageCapacity } = found;
  const at = testDataAt(env.cicd, { workflow: identity.workflow, version: version.versionName, test });
  return {
    smoke: {
      test,
      parameters,
      data: formatS3Uri(at),
      timeoutSeconds,
      storageType,
      ...(storageCapacity !== undefined && { storageCapacity }),
    },
  };
}

function bundleContents({ project, lock, packed }: BuiltParts): readonly BundleContent[] {
  const json = (name: string, value: unknown): BundleContent => ({
    name,
    body: `${JSON.stringify(value, null, 2)}\n`,
    contentType: "application/json",
  });
  return [
    { name: "definition.zip", body: packed.zip, contentType: "application/zip" },
    json("parameter-template.json", project.parameterTemplate),
    json("container-registry-map.json", registryMapOf(lock, project.config.registryMap) ?? {}),
    { name: LOCK_FILE, body: formatLock(lock), contentType: "application/json" },
    ...(project.readme === undefined ? [] : [{ name: "README.md", body: project.readme, contentType: "text/markdown" }]),
  ];
}
