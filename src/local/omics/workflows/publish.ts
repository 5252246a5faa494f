import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
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
  if (error instanceof CreationFailed || error instanceof TooLarge || error instanceof EngineUnavailable) return error.message;
  // Seen from the service (awslabs/mcp#4485); what exactly is wrong follows, which the service keeps to itself.
  if (error instanceof BadArchive) return `Invalid zip file: ${error.message}`;
  if (error instanceof AwsError) return `${error.code}: ${error.message}`;
  omics.core.log("omics", `reading a definition failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return `The local accounts failed to read the definition: ${error instanceof Error ? error.message : String(error)}`;
}

async function readAll(omics: Omics, definition: Definition): Promise<Partial<Definition>> {
  const { zip, digest } = await fetchZip(omics, definition);
  const containerRegistryMap = await registryMapOf(omics, definition);
  const readme = await readmeOf(omics, definition);
  const folder = mkdtempSync(join(omics.core.dataDir, "work", "definition-"));
  try {
    const read = await readDefinition(omics, definition, { archive: omics.core.blobs.path(zip), folder, unpack: () => unpackZip(omics.core.blobs.path(zip), folder) });
    return { ...read, zip, digest, ...(containerRegistryMap && { containerRegistryMap }), ...(readme !== undefined && { readme }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fetchZip(omics: Omics, { source, creator, place }: Definition): Promise<{ zip: string; digest: string }> {
  if (source.kind === "repository") throw new CreationFailed("The local accounts can't read this repository");
  if (source.kind === "zip") return { zip: source.sha256, digest: `sha256:${source.sha256}` };
  const { sha256 } = await s3As(omics.core, creator, place.region).read(source.uri, {
    maxBytes: omics.quotas.zipInS3Bytes,
    ...(source.ownerId && { ownerId: source.ownerId }),
  });
  return { zip: sha256, digest: `sha256:${sha256}` };
}

async function registryMapOf(omics: Omics, { containerRegistryMapUri, creator, place }: Definition): Promise<ContainerRegistryMap | undefined> {
  if (containerRegistryMapUri === undefined) return undefined;
  const text = await s3As(omics.core, creator, place.region).text(containerRegistryMapUri, { maxBytes: 1_000_000 });
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
  return s3As(omics.core, creator, place.region).text(readmeSource.uri, { maxBytes: omics.quotas.readmeBytes });
}
