import { createHash } from "node:crypto";
import type { ReleaseEnvironment } from "../../release/environment.ts";
import { bringImages } from "../../release/images/bring.ts";
import { registryMapOf } from "../../release/images/registry-map.ts";
import type { Project } from "../../release/project/project.ts";
import { publishNext, type PublishedVersion } from "../../release/publish/create-version.ts";
import { definitionOf } from "../../release/publish/definition.ts";
import { packageDefinition } from "../../release/publish/package.ts";

/** Workflows of `omx run` have names of their own: a trial must not take a release's number. */
export const trialName = ({ config }: Project): string => `${config.name}-dev`;

type RegistryMap = ReturnType<typeof registryMapOf>;

/** Brings a project's images in, by the puller and the builder. @returns how the definition's images map to ECR */
export async function stageProject(env: ReleaseEnvironment, project: Project): Promise<RegistryMap> {
  return registryMapOf(
    await bringImages(env, project, { workflow: project.config.name, identity: `run-${project.config.name}` }),
    project.config.registryMap,
  );
}

/** Creates a version of the trial workflow, or finds the one of the same content. */
export async function publishTrial(env: ReleaseEnvironment, project: Project, registryMap: RegistryMap): Promise<PublishedVersion> {
  const packed = packageDefinition(project);
  const definition = { ...(await definitionOf(env, { project, packed, registryMap })), name: trialName(project) };
  const { source: _bytes, ...described } = definition;
  const content = createHash("sha256").update(JSON.stringify(described)).digest("hex");
  return publishNext({ omics: env.clients.omics, account: env.cicd.account, clock: env.clock, emit: env.emit }, definition, {
    declared: project.version,
    tags: project.config.tags,
    provenance: { commit: `content-${content}`, branch: "none", build: "omx run", startedBy: "omx run" },
  });
}
