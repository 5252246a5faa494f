import type { CreateWorkflowVersionRequest } from "@aws-sdk/client-omics";
import { registryMapOf } from "../../release/images/registry-map.ts";
import type { Project } from "../../release/project/project.ts";
import type { Definition } from "../../release/publish/create-version.ts";
import { definitionOf } from "../../release/publish/definition.ts";
import { packageDefinition } from "../../release/publish/package.ts";
import type { Session } from "../aws/session.ts";
import { Problem } from "../cli.ts";
import { textOf } from "../definition/named.ts";
import { systemClock } from "../../kit/clock.ts";

export interface ContentOptions {
  readonly engine?: "WDL" | "WDL_LENIENT" | "NEXTFLOW" | "CWL";
  readonly main?: string;
  readonly description?: string;
  readonly accelerators?: "GPU";
  readonly storageType?: "STATIC" | "DYNAMIC";
  readonly storageCapacity?: number;
  readonly parameterTemplate?: string;
  readonly parameterTemplatePath?: string;
  readonly registryMap?: string;
  readonly registryMapUri?: string;
  readonly readme?: string;
  readonly readmePath?: string;
  readonly readmeUri?: string;
  readonly definitionUri?: string;
  readonly workflowBucketOwnerId?: string;
  /** A JSON file. */
  readonly definitionRepository?: string;
}

/** The members of a version that are neither its name nor its tags. */
export type VersionContent = Omit<CreateWorkflowVersionRequest, "workflowId" | "versionName" | "tags" | "requestId">;

/** What a version is created with: the project's own, and what is asked for over it. */
export async function contentOf(session: Session, project: Project | undefined, asked: VersionContent): Promise<VersionContent> {
  return { ...(project && (await ofProject(session, project))), ...asked };
}

async function ofProject(session: Session, project: Project): Promise<VersionContent> {
  const packed = packageDefinition(project);
  const env = { clients: session.clients, cicd: session.place, clock: systemClock, emit: () => undefined };
  const own = registryMapOf({ version: 1, images: [] }, project.config.registryMap);
  return request(await definitionOf(env, { project, packed, registryMap: own }));
}

function request({
  engine,
  main,
  description,
  accelerators,
  storage,
  parameterTemplate,
  readme,
  registryMap,
  source,
}: Definition): VersionContent {
  const template = Object.entries(parameterTemplate).map(
    ([name, { description: about, optional }]) =>
      [name, { ...(about && { description: about }), ...(optional !== undefined && { optional }) }] as const,
  );
  return {
    engine,
    main,
    ...("zip" in source ? { definitionZip: source.zip } : { definitionUri: source.uri, workflowBucketOwnerId: source.bucketOwner }),
    ...(template.length > 0 && { parameterTemplate: Object.fromEntries(template) }),
    ...(description && { description }),
    ...(accelerators && { accelerators }),
    ...(storage && { storageType: storage.type, ...(storage.capacity !== undefined && { storageCapacity: storage.capacity }) }),
    ...(readme && { readmeMarkdown: readme }),
    ...(registryMap && { containerRegistryMap: registryMap }),
  };
}

/** What the options ask for, their files read. @throws UsageError, Problem */
export function askedContent(options: ContentOptions): VersionContent {
  const { parameterTemplate, registryMap, registryMapUri, readme, definitionRepository, ...same } = options;
  const {
    engine,
    main,
    description,
    accelerators,
    storageType,
    storageCapacity,
    parameterTemplatePath,
    readmePath,
    readmeUri,
    definitionUri,
    workflowBucketOwnerId,
  } = same;
  return {
    ...(engine && { engine }),
    ...(main && { main }),
    ...(description && { description }),
    ...(accelerators && { accelerators }),
    ...(storageType && { storageType }),
    ...(storageCapacity && { storageCapacity }),
    ...(parameterTemplatePath && { parameterTemplatePath }),
    ...(readmePath && { readmePath }),
    ...(readmeUri && { readmeUri }),
    ...(definitionUri && { definitionUri }),
    ...(workflowBucketOwnerId && { workflowBucketOwnerId }),
    ...(registryMapUri && { containerRegistryMapUri: registryMapUri }),
    ...(readme && { readmeMarkdown: textOf(readme) }),
    ...(parameterTemplate && { parameterTemplate: json<NonNullable<VersionContent["parameterTemplate"]>>(parameterTemplate) }),
    ...(registryMap && { containerRegistryMap: json<NonNullable<VersionContent["containerRegistryMap"]>>(registryMap) }),
    ...(definitionRepository && { definitionRepository: json<NonNullable<VersionContent["definitionRepository"]>>(definitionRepository) }),
  };
}

/** The service checks the members; here it only has to be JSON. */
function json<Shape>(file: string): Shape {
  const text = textOf(file);
  try {
    return JSON.parse(text) as Shape;
  } catch (error) {
    throw new Problem(`${file} is not JSON: ${(error as Error).message}`);
  }
}
