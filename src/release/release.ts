import type { BuildEnvironment, ReleaseEnvironment, Identity } from "./environment.ts";
import { bringImages } from "./images/bring.ts";
import type { ContainersLock } from "./images/lock/lock.ts";
import { registryMapOf } from "./images/registry-map.ts";
import { type Project, readProjectOf } from "./project/project.ts";
import { packageDefinition } from "./publish/package.ts";
import { publishNext, type PublishedVersion } from "./publish/create-version.ts";
import { definitionOf } from "./publish/definition.ts";
import type { BuildRecord } from "./publish/build-record.ts";
import { writeBuild } from "./publish/write-build.ts";
import { prepareTests } from "./testrun/prepare.ts";
import { timed } from "./steps.ts";

/**
 * The build of a release: reads the repository, brings its images in, packs the definition, creates the version,
 * stages its test data. Everything after it (test, approval, promotion) works from what this leaves in `outputDir`.
 * Each step may be run again and finds what it did.
 */
export async function buildRelease(
  env: BuildEnvironment,
  identity: Identity,
  { root, outputDir }: { readonly root: string; readonly outputDir: string },
): Promise<BuildRecord> {
  const step = timed(env);
  const project = await step("check", () => readProjectOf(identity.workflow, root));
  const lock = await step("images", () => stage(env, identity, project));
  const packed = await step("package", () => packageDefinition(project));
  const version = await step("version", async () => publish(env, identity, { project, lock, packed }));
  const tests = await step("test data", () => prepareTests(env, identity, { project, version }));
  return step("record", () => writeBuild({ identity, project, lock, packed, version, tests, outputDir, env }));
}

function stage(env: ReleaseEnvironment, { workflow, commit }: Identity, project: Project): Promise<ContainersLock> {
  for (const { expression, task, file, line, input } of project.inspection.unresolved)
    env.emit({
      type: "note",
      text: `${file}:${line}: the image of ${task} (${expression}) is decided by ${input ?? "an input"}; list what it may be under images.extra`,
    });
  return bringImages(env, project, { workflow, commit, identity: `${workflow}-${commit.slice(0, 12)}` });
}

async function publish(
  env: ReleaseEnvironment,
  identity: Identity,
  parts: { readonly project: Project; readonly lock: ContainersLock; readonly packed: ReturnType<typeof packageDefinition> },
): Promise<PublishedVersion> {
  const { project, lock, packed } = parts;
  const definition = await definitionOf(env, { project, packed, registryMap: registryMapOf(lock, project.config.registryMap) });
  const { commit, branch, pipelineExecutionId, startedBy } = identity;
  return publishNext({ omics: env.clients.omics, account: env.cicd.account, clock: env.clock, emit: env.emit }, definition, {
    declared: project.version,
    tags: project.config.tags,
    provenance: { commit, branch, build: pipelineExecutionId, startedBy },
  });
}
