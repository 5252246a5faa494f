import { createHash } from "node:crypto";
import { formatImageRef } from "../../kit/image-ref.ts";
import type { ReleaseEnvironment } from "../../release/environment.ts";
import { uploadBuildSources } from "../../release/images/build-sources.ts";
import { lockImages, registryMapOf } from "../../release/images/lock.ts";
import { buildTarget, planImages } from "../../release/images/plan.ts";
import { stageImages } from "../../release/images/staging.ts";
import type { Project } from "../../release/project/project.ts";
import { publishNext, type PublishedVersion } from "../../release/publish/create-version.ts";
import { definitionOf } from "../../release/publish/definition.ts";
import { packageDefinition } from "../../release/publish/package.ts";

/** Workflows of `omx run` have names of their own: a trial must not take a release's number. */
export const trialName = ({ config }: Project): string => `${config.name}-dev`;

type RegistryMap = ReturnType<typeof registryMapOf>;

/** Brings a project's images in, by the puller and the builder. @returns how the definition's images map to ECR */
export async function stageProject(env: ReleaseEnvironment, project: Project): Promise<RegistryMap> {
  const plan = planImages(project.inspection.images, project.config.images);
  const builds = await uploadBuildSources(env, { workflow: project.config.name, root: project.root, builds: plan.builds });
  const outcomes = await stageImages({ ...env, place: env.cicd, identity: `run-${project.config.name}` }, {
    pulls: plan.pulls,
    builds: builds.map(({ source_uri, build }) => ({ source_uri, target_image: formatImageRef(buildTarget(build.target, env.cicd)), dockerfile: build.dockerfile, build_args: build.args })),
  });
  return registryMapOf(lockImages(plan, outcomes, env.cicd), project.config.registryMap);
}

/** Creates a version of the trial workflow, or finds the one of the same content. */
export async function publishTrial(env: ReleaseEnvironment, project: Project, registryMap: RegistryMap): Promise<PublishedVersion> {
  const packed = packageDefinition(project);
  const definition = { ...(await definitionOf(env, { project, packed, registryMap })), name: trialName(project) };
  const { source: _bytes, ...described } = definition;
  const content = createHash("sha256").update(JSON.stringify(described)).digest("hex");
  return publishNext({ omics: env.clients.omics, account: env.cicd.account, clock: env.clock, emit: env.emit }, definition, {
    declared: project.version, tags: project.config.tags, provenance: { commit: `content-${content}`, branch: "none", build: "omx run", startedBy: "omx run" },
  });
}
