import { readPrivateEcrHost } from "../../../kit/image-ref-ecr.ts";
import type { Principal } from "../../authorization/principal.ts";
import type { WireRequest } from "../../gateway/service.ts";
import type { Contents } from "../contents.ts";
import type { Place } from "../store.ts";

/** One request of the registry protocol, its path read. */
export interface Exchange extends RegistryPath {
  readonly request: WireRequest;
  readonly caller: Principal;
  readonly contents: Contents;
}

export interface RegistryPath {
  readonly place: Place;
  /** The name as the client writes it, for Location headers. */
  readonly pathName: string;
  readonly kind: "manifests" | "blobs" | "uploads" | "tags" | "referrers";
  /** Tag, digest or upload id. */
  readonly reference: string;
}

/**
 * Reads a path. The repository is `<account>/<region>/<name>` on the local address, and plain `<name>` where the Host
 * header is ECR's own.
 */
export function parsePath({ path, headers }: Pick<WireRequest, "path" | "headers">): RegistryPath | undefined {
  // The longest name wins: a component of a name may itself be `tags` or `blobs`.
  const match = /^\/v2\/(.+)\/(?:(tags)\/list|blobs\/(uploads)(?:\/([^/]*))?|(manifests|blobs|referrers)\/([^/]+))$/s.exec(decoded(path));
  if (!match) return undefined;
  const [, pathName = "", tags, uploads, upload = "", other, reference = ""] = match;
  const place = placeOf(pathName, { headers });
  const kind = (tags ?? uploads ?? other) as RegistryPath["kind"];
  return place && { place, pathName, kind, reference: uploads ? upload : reference };
}

/** A path that is not well-formed names nothing; nor does one of several lines, which would forge some in the log. */
function decoded(path: string): string {
  try {
    const text = decodeURIComponent(path);
    return /\p{Cc}/u.test(text) ? "" : text;
  } catch {
    return "";
  }
}

/** The registry whose own host is asked, in any of its forms (FIPS, dual-stack, any partition); undefined for the local address, where all are. */
export function registryOfHost({ headers }: Pick<WireRequest, "headers">): Pick<Place, "account" | "region"> | undefined {
  const found = readPrivateEcrHost((headers["host"] ?? "").toLowerCase().replace(/:\d+$/, ""));
  return found && { account: found.account, region: found.region };
}

/** The repository that a name in a path means. */
export function placeOf(pathName: string, request: Pick<WireRequest, "headers">): Place | undefined {
  const registry = registryOfHost(request);
  if (registry) return { ...registry, name: pathName };
  const [, localAccount, localRegion, name] = /^(\d{12})\/([a-z0-9-]+)\/(.+)$/.exec(pathName) ?? [];
  return localAccount && localRegion && name ? { account: localAccount, region: localRegion, name } : undefined;
}
