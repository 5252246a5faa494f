import { createHash } from "node:crypto";
import {
  type ContainerRegistryMap,
  CreateWorkflowCommand,
  CreateWorkflowVersionCommand,
  type CreateWorkflowVersionRequest,
  GetWorkflowCommand,
  ListTagsForResourceCommand,
  type OmicsClient,
} from "@aws-sdk/client-omics";
import { listVersions, listWorkflowsNamed, settledVersion, settledWorkflow } from "../../aws/workflows.ts";
import type { Clock } from "../../kit/clock.ts";
import { type DeclaredVersion, formatReleaseVersion, readReleaseVersion, type ReleaseVersion } from "../../kit/version.ts";
import type { ParameterTemplate } from "../../workflow/inspection.ts";
import { ReleaseError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { OmxYaml } from "../project/omx-yaml.ts";
import { nextVersion } from "./number.ts";

/** Everything CreateWorkflowVersion takes, but the names: versions inherit nothing, so each release passes it all. */
export interface Definition {
  readonly name: string;
  readonly engine: CreateWorkflowVersionRequest["engine"] & string;
  readonly main: string;
  readonly description?: string;
  readonly accelerators?: "GPU";
  readonly storage?: OmxYaml["storage"];
  readonly parameterTemplate: ParameterTemplate;
  readonly readme?: string;
  readonly registryMap?: ContainerRegistryMap;
  /** The bytes, or where they lie in S3. */
  readonly source: { readonly zip: Uint8Array } | { readonly uri: string; readonly bucketOwner: string };
  /** SHA-256 of the ZIP. */
  readonly sha256: string;
}

/** Whom a version comes from: its identity is the commit. */
export interface Provenance {
  readonly commit: string;
  readonly branch: string;
  readonly build: string;
  readonly startedBy: string;
}

export interface Publishing {
  readonly omics: OmicsClient;
  readonly account: string;
  readonly clock: Clock;
  readonly emit: Emit;
}

export interface PublishedVersion {
  readonly workflowId: string;
  readonly versionName: string;
  readonly arn: string;
  readonly uuid?: string;
}

/** Tags that say where a version comes from. HealthOmics's tags take the characters of URLs, not more. */
export const versionTags = (
  own: Readonly<Record<string, string>>,
  { commit, branch, build, startedBy }: Provenance,
): Record<string, string> => ({
  ...own,
  "omx:commit": commit,
  "omx:branch": branch,
  "omx:build": build,
  "omx:started-by": startedBy,
});

/**
 * Creates the next version of the declared major.minor, or finds the one that this commit has already.
 * @throws ReleaseError WorkflowFailed with HealthOmics's message when the version is FAILED
 */
export async function publishNext(
  publishing: Publishing,
  definition: Definition,
  request: { readonly declared: DeclaredVersion; readonly provenance: Provenance; readonly tags: Readonly<Record<string, string>> },
): Promise<PublishedVersion> {
  const workflowId = await ensureWorkflow(publishing, definition);
  const names = (await listVersions(publishing.omics, workflowId)).map((version) => version.versionName ?? "");
  const found = await findByCommit(publishing.omics, { workflowId, names, ...request });
  if (found) return awaitActive(publishing, { workflowId, versionName: found, isNew: false });
  const tags = versionTags(request.tags, request.provenance);
  for (let taken: readonly string[] = names; ;) {
    const version = nextVersion(request.declared, taken);
    const versionName = formatReleaseVersion(version);
    const created = await tryCreate(publishing, definition, { workflowId, versionName, tags });
    if (created) return awaitActive(publishing, { workflowId, versionName, isNew: true });
    taken = [...taken, versionName];
  }
}

/** Creates exactly this version: what production does with a number that cicd chose. Finds it when it is there already. */
export async function publishExactly(
  publishing: Publishing,
  definition: Definition,
  request: { readonly version: ReleaseVersion; readonly tags: Readonly<Record<string, string>> },
): Promise<PublishedVersion> {
  const workflowId = await ensureWorkflow(publishing, definition);
  const versionName = formatReleaseVersion(request.version);
  const created = await tryCreate(publishing, definition, { workflowId, versionName, tags: request.tags });
  return awaitActive(publishing, { workflowId, versionName, isNew: created });
}

/** The one HealthOmics workflow whose versions are the releases: made once, tagged `omx:anchor`, never run. */
async function ensureWorkflow(publishing: Publishing, definition: Definition): Promise<string> {
  const { omics, account, emit } = publishing;
  for (const { id = "" } of await listWorkflowsNamed(omics, definition.name)) {
    const workflow = await omics.send(new GetWorkflowCommand({ id }));
    if (workflow.tags?.["omx:anchor"] !== definition.name || workflow.status === "DELETED") continue;
    if (workflow.status !== "FAILED") return id;
  }
  const created = await omics.send(
    new CreateWorkflowCommand({
      ...members(definition),
      name: definition.name,
      tags: { "omx:anchor": definition.name },
      requestId: requestId(account, definition.name, "anchor", definition.sha256),
    }),
  );
  const id = created.id ?? "";
  emit({ type: "workflow.created", workflowId: id, name: definition.name });
  const { status, message } = await settledWorkflow(omics, id, publishing);
  if (status === "ACTIVE") return id;
  throw failed(`workflow ${definition.name} (${id})`, status, message);
}

async function findByCommit(
  omics: OmicsClient,
  {
    workflowId,
    names,
    declared,
    provenance,
  }: {
    readonly workflowId: string;
    readonly names: readonly string[];
    readonly declared: DeclaredVersion;
    readonly provenance: Provenance;
  },
): Promise<string | undefined> {
  const candidates = names.filter((name) => {
    const version = readReleaseVersion(name);
    return version?.major === declared.major && version.minor === declared.minor;
  });
  const { arn } = await omics.send(new GetWorkflowCommand({ id: workflowId }));
  for (const name of candidates.reverse()) {
    const { tags } = await omics.send(new ListTagsForResourceCommand({ resourceArn: `${arn}/version/${name}` }));
    if (tags?.["omx:commit"] === provenance.commit) return name;
  }
  return undefined;
}

/** False when the name is taken by something else. */
async function tryCreate(
  { omics, account, emit }: Publishing,
  definition: Definition,
  {
    workflowId,
    versionName,
    tags,
  }: { readonly workflowId: string; readonly versionName: string; readonly tags: Readonly<Record<string, string>> },
): Promise<boolean> {
  try {
    await omics.send(
      new CreateWorkflowVersionCommand({
        ...members(definition),
        workflowId,
        versionName,
        tags: { ...tags },
        requestId: requestId(account, workflowId, versionName, `${definition.sha256} ${tags["omx:commit"] ?? ""}`),
      }),
    );
    emit({ type: "version.created", workflowId, version: versionName, isNew: true });
    return true;
  } catch (error) {
    if ((error as Error).name !== "ConflictException") throw error;
    return false;
  }
}

async function awaitActive(
  publishing: Publishing,
  { workflowId, versionName, isNew }: { readonly workflowId: string; readonly versionName: string; readonly isNew: boolean },
): Promise<PublishedVersion> {
  if (!isNew) publishing.emit({ type: "version.created", workflowId, version: versionName, isNew });
  const { status, message, version } = await settledVersion(publishing.omics, workflowId, versionName, publishing);
  if (status !== "ACTIVE") throw failed(`version ${versionName} of workflow ${workflowId}`, status, message);
  publishing.emit({ type: "version.active", workflowId, version: versionName, ...(message && { message: message.split("\n")[0] ?? "" }) });
  return { workflowId, versionName, arn: version.arn ?? "", ...(version.uuid && { uuid: version.uuid }) };
}

/** The members that CreateWorkflow and CreateWorkflowVersion share. */
function members(definition: Definition) {
  const { engine, main, description, accelerators, storage, parameterTemplate, readme, registryMap, source } = definition;
  const template = Object.entries(parameterTemplate).map(([name, { description: about, optional }]) => [
    name,
    { ...(about && { description: about }), ...(optional !== undefined && { optional }) },
  ]);
  return {
    engine,
    main,
    ...("zip" in source ? { definitionZip: source.zip } : { definitionUri: source.uri, workflowBucketOwnerId: source.bucketOwner }),
    ...(template.length > 0 && {
      parameterTemplate: Object.fromEntries(template) as Record<string, { description?: string; optional?: boolean }>,
    }),
    ...(description && { description }),
    ...(accelerators && { accelerators }),
    ...(readme && { readmeMarkdown: readme }),
    ...(storage && { storageType: storage.type, ...(storage.capacity !== undefined && { storageCapacity: storage.capacity }) }),
    ...(registryMap && { containerRegistryMap: registryMap }),
  };
}

/** The same request again is the same token, a different one never. */
const requestId = (...parts: readonly string[]): string => createHash("sha256").update(parts.join("\n")).digest("hex");

const failed = (what: string, status: string, message: string): ReleaseError =>
  new ReleaseError(status === "FAILED" ? "WorkflowFailed" : "WorkflowNotActive", {
    says: `HealthOmics made ${what} ${status || "nothing"}${message ? `: ${message}` : ""}`,
    fix: "correct the definition and push again; the number of a FAILED version is not used again",
    blame: "user",
  });
