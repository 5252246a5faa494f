import { RegistryError } from "../errors.ts";
import type { Answer } from "./exchange.ts";
import { describe, nameAt, pointedTo, scopeOf, urlIn } from "./repository-address.ts";
import type { RepositoryAddress } from "./repository-address.ts";

/** An upload that the registry has opened; its address changes with every answer. */
export interface UploadSession {
  readonly location: URL;
}

/** A blob of another repository of the same registry, to be used here without sending it. */
export interface Mount {
  readonly digest: string;
  readonly from: string;
}

/**
 * Opens an upload, or mounts the blob where that is asked for and the registry does it.
 * @returns undefined when the blob is mounted; the opened upload otherwise (ECR answers so unless mounting is enabled)
 */
export async function beginUpload(address: RepositoryAddress, mount?: Mount): Promise<UploadSession | undefined> {
  const url = urlIn(address, "blobs/uploads/");
  if (mount) {
    url.searchParams.set("mount", mount.digest);
    url.searchParams.set("from", nameAt(address, mount.from));
  }
  const scopes = [scopeOf(address, "pull,push"), ...(mount ? [scopeOf(address, "pull", mount.from)] : [])];
  const doing = mount ? `mount ${describe(address, mount.digest)}` : `open an upload to ${address.registry}/${address.repository}`;
  const answer = await address.exchange.send({
    registry: address.registry,
    method: "POST",
    url,
    scopes,
    doing,
    headers: { "content-length": "0" },
    expect: [201, 202],
    context: address.context,
  });
  await answer.body.dump();
  return answer.status === 201 ? undefined : sessionFrom(address, answer);
}

/** An upload of a blob that is not mounted. @throws RegistryError */
export async function openUpload(address: RepositoryAddress): Promise<UploadSession> {
  const session = await beginUpload(address);
  if (session) return session;
  throw temporary(address, "it answered 201 to the opening of an upload");
}

/** Where an upload stands in the registry; undefined where the registry cannot say. @throws RegistryError where it may not be asked */
export async function askOffset(
  address: RepositoryAddress,
  digest: string,
  { location }: UploadSession,
): Promise<{ readonly session: UploadSession; readonly offset: number } | undefined> {
  try {
    const answer = await address.exchange.sendOnce({
      ...uploading(address, digest),
      method: "GET",
      url: location,
      expect: [200, 202, 204],
    });
    await answer.body.dump();
    const offset = offsetFrom(answer);
    return offset === undefined ? undefined : { session: sessionFrom(address, answer), offset };
  } catch (error) {
    if (!(error instanceof RegistryError) || error.kind === "denied") throw error;
    return undefined;
  }
}

/** Tells the registry that no more comes. */
export async function cancelUpload(address: RepositoryAddress, { location }: UploadSession): Promise<void> {
  try {
    const answer = await address.exchange.sendOnce({
      ...uploading(address, "upload"),
      method: "DELETE",
      url: location,
      expect: [200, 202, 204, 404, 405],
    });
    await answer.body.dump();
  } catch (error) {
    // A courtesy: registries clear abandoned uploads by themselves.
    if (!(error instanceof RegistryError)) throw error;
  }
}

/** The same upload at the address that the registry's last answer gives it. */
export function sessionFrom(address: RepositoryAddress, { headers, url }: Answer): UploadSession {
  const location = headers["location"];
  if (location === undefined) throw temporary(address, "it opened an upload and did not say where");
  return { location: pointedTo(url, location) };
}

/**
 * The number of bytes that an answer says have come, in `0-<last>`. Docker's registry says `0-0` of an empty upload, so that
 * one byte and none cannot be told apart: the caller begins anew.
 */
export function offsetFrom({ headers }: Answer): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headers["range"] ?? "")?.[1];
  return last === undefined || last === "0" ? undefined : Number(last) + 1;
}

/** The address at which an upload ends. */
export function withDigest(location: URL, digest: string): URL {
  const url = new URL(location);
  url.searchParams.set("digest", digest);
  return url;
}

/** What every request of an upload has. */
export const uploading = (address: RepositoryAddress, digest: string) => ({
  registry: address.registry,
  scopes: [scopeOf(address, "pull,push")],
  doing: `upload ${describe(address, digest)}`,
  context: address.context,
});

/** An answer that may be another one next time. */
export const temporary = (address: RepositoryAddress, says: string): RegistryError =>
  new RegistryError({
    kind: "unavailable",
    registry: address.registry,
    doing: `upload to ${address.registry}/${address.repository}`,
    says,
  });
