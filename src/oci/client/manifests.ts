import { digestOf, isDigestOf } from "../digest.ts";
import type { Digest } from "../digest.ts";
import { NO_REASON, RegistryError } from "../errors.ts";
import { isDigest } from "../../kit/image-ref.ts";
import { mediaTypeOf } from "../manifest.ts";
import { ACCEPTED_MANIFESTS } from "../media-types.ts";
import type { Answer } from "./exchange.ts";
import { describe, scopeOf, urlIn } from "./repository-address.ts";
import type { RepositoryAddress } from "./repository-address.ts";

/** What a registry says of a manifest without sending it. */
export interface ManifestHead {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
}

/** A manifest as it lies in the registry, its bytes proved by its digest. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** Larger manifests are refused before they are read: ECR and Docker's registry have the same limit. */
const LARGEST_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Asks for the manifest's digest; undefined where the registry does not have it. Docker Hub does not count it as a pull. */
export async function headManifest(address: RepositoryAddress, reference: string): Promise<ManifestHead | undefined> {
  const answer = await ask(address, reference).catch(unlessSilent);
  if (answer?.status === 404) return undefined;
  const digest = answer?.headers["docker-content-digest"];
  // Some registries leave the header out of HEAD answers; the bytes themselves always tell.
  if (!answer || digest === undefined || !isDigest(digest)) return headByReading(address, reference);
  return { digest, mediaType: answer.headers["content-type"] ?? "", sizeBytes: Number(answer.headers["content-length"] ?? 0) };
}

/** The answer to a HEAD has no body to give a reason in, and some registries know no HEAD: a refused one is asked for again by GET. */
function unlessSilent(error: unknown): undefined {
  if (!(error instanceof RegistryError) || !["denied", "refused"].includes(error.kind) || error.says !== NO_REASON) throw error;
}

/** Reads the manifest; undefined where the registry does not have it. @throws RegistryError `corrupt` for other bytes */
export async function getManifest(address: RepositoryAddress, reference: string): Promise<StoredManifest | undefined> {
  return address.exchange.patience.again(async () => {
    const answer = await askOnce(address, reference, "GET");
    if (answer.status !== 404) return verified(address, reference, answer);
    await answer.body.dump();
    return undefined;
  }, address.context.signal);
}

/** Stores a manifest under a tag or its digest. Its blobs, or its children, must be there. */
export async function putManifest(
  address: RepositoryAddress,
  reference: string,
  manifest: Omit<StoredManifest, "digest">,
): Promise<Digest> {
  const digest = digestOf(manifest.bytes);
  const answer = await address.exchange.send({
    ...common(address, reference),
    method: "PUT",
    scopes: [scopeOf(address, "pull,push")],
    doing: `store ${describe(address, reference)}`,
    headers: { "content-type": manifest.mediaType },
    body: manifest.bytes,
    expect: [200, 201, 202],
  });
  await answer.body.dump();
  const stored = answer.headers["docker-content-digest"];
  if (stored?.startsWith("sha256:") && stored !== digest) throw corrupt(address, reference, `it stored ${digest} and calls it ${stored}`);
  return digest;
}

/** Removes a tag, or a manifest by its digest. One that is not there is no error. */
export async function deleteManifest(address: RepositoryAddress, reference: string): Promise<void> {
  const doing = `delete ${describe(address, reference)}`;
  const answer = await address.exchange.send({
    ...common(address, reference),
    method: "DELETE",
    scopes: [scopeOf(address, "delete")],
    doing,
    expect: [200, 202, 404],
  });
  await answer.body.dump();
}

const common = (address: RepositoryAddress, reference: string) => ({
  registry: address.registry,
  url: urlIn(address, `manifests/${reference}`),
  context: address.context,
});

async function ask(address: RepositoryAddress, reference: string): Promise<Answer> {
  return address.exchange.patience.again(() => askOnce(address, reference, "HEAD"), address.context.signal);
}

async function askOnce(address: RepositoryAddress, reference: string, method: "HEAD" | "GET"): Promise<Answer> {
  const answer = await address.exchange.sendOnce({
    ...common(address, reference),
    method,
    scopes: [scopeOf(address, "pull")],
    doing: `read ${describe(address, reference)}`,
    headers: { accept: ACCEPTED_MANIFESTS },
    expect: [200, 404],
  });
  if (method === "HEAD") await answer.body.dump();
  return answer;
}

async function headByReading(address: RepositoryAddress, reference: string): Promise<ManifestHead | undefined> {
  const manifest = await getManifest(address, reference);
  return manifest && { digest: manifest.digest, mediaType: manifest.mediaType, sizeBytes: manifest.bytes.length };
}

async function verified(address: RepositoryAddress, reference: string, answer: Answer): Promise<StoredManifest> {
  const bytes = await readAll(address, reference, answer);
  const mediaType = mediaTypeOf(bytes, answer.headers["content-type"]?.split(";")[0]?.trim() ?? "");
  const promised = isDigest(reference) ? reference : answer.headers["docker-content-digest"];
  if (promised === undefined || !isDigest(promised)) return { digest: digestOf(bytes), mediaType, bytes };
  if (!isDigestOf(promised, bytes)) throw corrupt(address, reference, `it promised ${promised} and sent ${digestOf(bytes)}`);
  return { digest: promised, mediaType, bytes };
}

async function readAll(address: RepositoryAddress, reference: string, { body }: Answer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > LARGEST_MANIFEST_BYTES) throw corrupt(address, reference, "the manifest has more than 4 MiB");
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    throw brokenOff(address, reference, error);
  }
  return Buffer.concat(chunks);
}

function brokenOff(address: RepositoryAddress, reference: string, cause: unknown): RegistryError {
  const says = "the connection broke in the middle of the manifest";
  return new RegistryError({
    kind: "unavailable",
    registry: address.registry,
    doing: `read ${describe(address, reference)}`,
    says,
    cause,
  });
}

function corrupt(address: RepositoryAddress, reference: string, says: string): RegistryError {
  return new RegistryError({
    kind: "corrupt",
    registry: address.registry,
    doing: `read ${describe(address, reference)}`,
    says,
  });
}
