import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { InvalidValue } from "../../../kit/invalid-value.ts";
import { validateValue } from "../../../model/validate.ts";
import type { ContainerRegistryMap } from "../../../model/generated/types.ts";
import { BadArchive } from "../../../workflow/zip-tree.ts";
import { EngineUnavailable } from "../../engines/python-environment.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import type { DefinitionKey, Omics } from "../omics.ts";
import { emitWorkflowStatus } from "../emit.ts";
import { s3As, TooLarge } from "../s3-access.ts";
import type { Definition } from "../store.ts";
import { CreationFailed } from "./creation-failed.ts";
import { definitionAt, updateDefinition } from "./find.ts";
import { readDefinition } from "./read-definition.ts";
import { fetchRepository } from "./repository.ts";
import { repositoryFiles } from "./repository-files.ts";
import { unpackZip } from "./unpack.ts";

/** Reads, checks and publishes a definition that is CREATING: it becomes ACTIVE, or FAILED with the reason in statusMessage. */
export async function publishDefinition(omics: Omics, key: DefinitionKey): Promise<void> {
  const definition = definitionAt(omics, key);
  if (definition?.status !== "CREATING") return;
  const change = await outcomeOf(omics, definition);
  omics.store.transaction(() => {
    updateDefinition(omics, key, change);
    const published = definitionAt(omics, key);
    if (published) emitWorkflowStatus(omics.core, published);
  });
}

async function outcomeOf(omics: Omics, definition: Definition): Promise<Partial<Definition>> {
  try {
    return { ...(await readAll(omics, definition)), status: "ACTIVE" };
  } catch (error) {
    return { status: "FAILED", statusMessage: reasonOf(omics, error) };
  }
}

function reasonOf(omics: Omics, error: unknown): string {
  if (error instanceof CreationFailed || error instanceof TooLarge || error instanceof EngineUnavailable || error instanceof InvalidValue)
    return error.message;
  // Seen from the service (awslabs/mcp#4485); what exactly is wrong follows, which the service keeps to itself.
  if (error instanceof BadArchive) return `Invalid zip file: ${error.message}`;
  if (error instanceof AwsError) return `${error.code}: ${error.message}`;
  omics.core.log("omics", `reading a definition failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return `The local accounts failed to read the definition: ${error instanceof Error ? error.message : String(error)}`;
}

async function readAll(omics: Omics, definition: Definition): Promise<Partial<Definition>> {
  const work = mkdtempSync(join(omics.core.dataDir, "work", "definition-"));
  try {
    const fetched = await fetchZip(omics, definition, join(work, "repository"));
    const known: Definition = { ...definition, ...fetched, ...(await repositoryFiles(definition, join(work, "repository"))) };
    const containerRegistryMap = await registryMapOf(omics, definition);
    const readme = known.readme ?? (await readmeOf(omics, definition));
    const folder = join(work, "definition");
    const archive = omics.core.blobs.path(fetched.zip);
    const read = await readDefinition(omics, known, { archive, folder, unpack: () => unpackZip(archive, folder) });
    const { parameterTemplate, readmePath } = known;
    return {
      ...(parameterTemplate && { parameterTemplate }),
      ...(readmePath !== undefined && { readmePath }),
      ...read,
      ...fetched,
      ...(containerRegistryMap && { containerRegistryMap }),
      ...(readme !== undefined && { readme }),
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

type Fetched = Required<Pick<Definition, "zip" | "digest">> & Pick<Definition, "repositoryDetails">;

async function fetchZip(omics: Omics, definition: Definition, folder: string): Promise<Fetched> {
  const { source, creator, place } = definition;
  if (source.kind === "zip") return { zip: source.sha256, digest: `sha256:${source.sha256}` };
  if (source.kind === "repository") {
    const { zip, details } = await fetchRepository(omics, definition, folder);
    return { zip, digest: `sha256:${zip}`, repositoryDetails: details };
  }
  const { sha256 } = await s3As(omics.core, creator, place.region)
    .read(source.uri, {
      maxBytes: omics.quotas.zipInS3Bytes,
      ...(source.ownerId && { ownerId: source.ownerId }),
    })
    .catch(naming(source.uri));
  return { zip: sha256, digest: `sha256:${sha256}` };
}

/** S3's own words, with what was asked for. */
const naming =
  (uri: string) =>
  (error: unknown): never => {
    throw error instanceof AwsError ? new CreationFailed(`${error.code}: ${error.message} (${uri})`) : error;
  };

async function registryMapOf(
  omics: Omics,
  { containerRegistryMapUri, creator, place }: Definition,
): Promise<ContainerRegistryMap | undefined> {
  if (containerRegistryMapUri === undefined) return undefined;
  const text = await s3As(omics.core, creator, place.region)
    .text(containerRegistryMapUri, { maxBytes: 1_000_000 })
    .catch(naming(containerRegistryMapUri));
  const map = parsedJson(text, containerRegistryMapUri);
  const broken = validateValue("ContainerRegistryMap", map, "containerRegistryMap");
  if (broken !== undefined) throw new CreationFailed(`${containerRegistryMapUri}: ${broken}`);
  return map as ContainerRegistryMap;
}

function parsedJson(text: string, uri: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CreationFailed(`${uri} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readmeOf(omics: Omics, { readmeSource, creator, place }: Definition): Promise<string | undefined> {
  if (readmeSource === undefined || readmeSource.kind === "repository") return undefined;
  if (readmeSource.kind === "text") return readmeSource.text;
  return s3As(omics.core, creator, place.region)
    .text(readmeSource.uri, { maxBytes: omics.quotas.readmeBytes })
    .catch(naming(readmeSource.uri));
}
