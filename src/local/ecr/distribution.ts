import { globalContext } from "../gateway/dispatcher.ts";
import { readBody } from "../gateway/read-body.ts";
import type { WireRequest, WireResponse } from "../gateway/service.ts";
import type { Principal } from "../authorization/principal.ts";
import type { ByteRange } from "../storage/blobs.ts";
import type { Contents } from "./contents.ts";
import { type ReadableLayer, storedLayer } from "./layer-copies.ts";
import { digestOf } from "./digests.ts";
import { acceptedTypes, type Formed, inAcceptedForm } from "./manifest-formats.ts";
import { authorize, authorizeAlone, authorizePush, checkDigest, requireRepository } from "./registry-access.ts";
import { RegistryRefusal, refusalOf } from "./refusals.ts";
import { listReferrers, listRepositories, listTags } from "./listings.ts";
import type { Tokens } from "./token.ts";
import { type Exchange, parsePath } from "./registry-path.ts";
import { serveUpload } from "./uploads.ts";

export interface Registry {
  readonly contents: Contents;
  readonly tokens: Tokens;
}

const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * The OCI distribution protocol, version 1.1, on the repositories of every account.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export async function serveRegistry(registry: Registry, request: WireRequest): Promise<WireResponse> {
  try {
    const caller = signIn(registry, request);
    if (request.path.replace(/\/$/, "") === "/v2") return { status: 200, headers: { "docker-distribution-api-version": "registry/2.0", "content-type": "application/json" }, body: "{}" };
    if (request.path === "/v2/_catalog" && request.method === "GET") return listRepositories({ contents: registry.contents, caller, request });
    const path = parsePath(request);
    if (!path) throw new RegistryRefusal(404, "NAME_UNKNOWN", `${request.path} names no repository; write <account>/<region>/<repository>`);
    const exchange: Exchange = { ...path, request, caller, contents: registry.contents };
    return await route(exchange);
  } catch (error) {
    return refusalOf(error, (text) => registry.contents.core.log("ecr", `${request.method} ${request.path}: ${text}`));
  }
}

/** A layer by a link of GetDownloadUrlForLayer. */
export function serveLayer({ contents, tokens }: Registry, { path, method, headers }: WireRequest): Promise<WireResponse> {
  const sha256 = tokens.blobOf(path.slice("/ecr-layers/".length));
  if (!sha256 || !contents.core.blobs.has(sha256)) return Promise.resolve({ status: 403, headers: { "content-type": "text/plain" }, body: "the link is false or over\n" });
  return blobAnswer(storedLayer(contents.core, { digest: `sha256:${sha256}`, sha256, size: contents.core.blobs.size(sha256) ?? 0 }), { method, headers });
}

function signIn({ tokens }: Registry, { headers }: WireRequest): Principal {
  const basic = /^Basic\s+(\S+)$/i.exec(headers["authorization"] ?? "")?.[1];
  const [user = "", password = ""] = Buffer.from(basic ?? "", "base64").toString("utf8").split(/:(.*)/s);
  const principal = user === "AWS" ? tokens.principalOf(password) : undefined;
  // In ECR's words, which clients and their users look for: it answers no challenge, as no second try with the same would help.
  if (principal === "expired") throw new RegistryRefusal(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
  if (!principal) throw new RegistryRefusal(401, "UNAUTHORIZED", "sign in with the token of `aws ecr get-login-password`");
  return principal;
}

function route(exchange: Exchange): Promise<WireResponse> | WireResponse {
  const { kind, request: { method } } = exchange;
  if (kind === "uploads") return serveUpload(exchange);
  if (kind === "tags") return listTags(exchange);
  if (kind === "referrers") return listReferrers(exchange);
  if (kind === "blobs") {
    if (method === "GET" || method === "HEAD") return getBlob(exchange);
    if (method === "DELETE") throw new RegistryRefusal(405, "UNSUPPORTED", "ECR does not delete single layers; they go with their images");
  }
  if (kind === "manifests") {
    if (method === "GET" || method === "HEAD") return getManifest(exchange);
    if (method === "PUT") return putManifest(exchange);
    if (method === "DELETE") return deleteManifest(exchange);
  }
  throw new RegistryRefusal(405, "UNSUPPORTED", `${method} is not supported here`);
}

async function getBlob({ contents, caller, place, reference, request }: Exchange): Promise<WireResponse> {
  // AWS's own policy for pulling (AmazonEC2ContainerRegistryPullOnly) has the first alone.
  authorize({ contents, caller, place }, request.method === "GET" ? "GetDownloadUrlForLayer" : "BatchCheckLayerAvailability");
  checkDigest(reference);
  const size = contents.layerSize(place, reference);
  if (request.method === "HEAD" && size !== undefined) return blobAnswer({ digest: reference, size }, request);
  const layer = contents.readableLayer(place, reference);
  if (!layer) throw new RegistryRefusal(404, "BLOB_UNKNOWN", `the blob ${reference} is not in ${place.name}`);
  return blobAnswer(layer, request);
}

async function blobAnswer(layer: Pick<ReadableLayer, "digest" | "size"> & Partial<ReadableLayer>, { method, headers: asked }: Pick<WireRequest, "method" | "headers">): Promise<WireResponse> {
  const headers = { "content-type": "application/octet-stream", "docker-content-digest": layer.digest, "accept-ranges": "bytes", etag: `"${layer.digest}"` };
  const bodyOf = async (part?: ByteRange) => {
    if (method === "HEAD" || !layer.open) return {};
    await layer.reaches?.(part?.start ?? 0);
    return { body: layer.open(part) };
  };
  // Who holds a part of something else gets the whole (RFC 9110 section 13.1.5).
  const isOther = asked["if-range"] !== undefined && asked["if-range"] !== headers.etag;
  const match = /^bytes=(\d*)-(\d*)$/i.exec((isOther ? undefined : asked["range"]) ?? "");
  if (!match || (match[1] === "" && match[2] === ""))
    return { status: 200, headers: { ...headers, "content-length": String(layer.size) }, ...(await bodyOf()) };
  const start = match[1] === "" ? Math.max(0, layer.size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? layer.size - 1 : Math.min(Number(match[2]), layer.size - 1);
  if (start >= layer.size || start > end) return { status: 416, headers: { "content-range": `bytes */${layer.size}` } };
  return {
    status: 206, headers: { ...headers, "content-length": String(end - start + 1), "content-range": `bytes ${start}-${end}/${layer.size}` }, ...(await bodyOf({ start, end })),
  };
}

async function getManifest({ contents, caller, place, reference, request }: Exchange): Promise<WireResponse> {
  // Before the repository is looked for: a pull-through cache makes it.
  authorizeAlone({ contents, caller, place }, "BatchGetImage");
  if (reference.includes(":")) checkDigest(reference);
  const image = await contents.cache.image(place, reference, { caller, context: globalContext(contents.core.clock, place.region) });
  requireRepository({ contents, place });
  if (!image) throw new RegistryRefusal(404, "MANIFEST_UNKNOWN", "Requested image not found");
  const stored = { "content-type": image.mediaType, "docker-content-digest": image.digest, "content-length": String(image.manifestSize), etag: `"${image.digest}"` };
  const accepted = reference.includes(":") ? [] : acceptedTypes(request.headers["accept"]);
  if (request.method === "HEAD" && (accepted.length === 0 || accepted.includes(image.mediaType))) return { status: 200, headers: stored };
  const bytes = await contents.manifestBytes(image);
  const answered = inAcceptedForm({ mediaType: image.mediaType, bytes }, accepted);
  const headers = answered.bytes === bytes ? stored : headersOf(answered);
  return request.method === "HEAD" ? { status: 200, headers } : { status: 200, headers, body: answered.bytes };
}

/** A manifest in another form has a digest of its own, by which nobody can ask for it. */
const headersOf = ({ mediaType, bytes }: Formed): Record<string, string> => ({ "content-type": mediaType, "docker-content-digest": digestOf(bytes), "content-length": String(bytes.byteLength), etag: `"${digestOf(bytes)}"` });

async function putManifest({ contents, caller, place, reference, request, pathName }: Exchange): Promise<WireResponse> {
  authorizePush({ contents, caller, place }, "PutImage");
  const body = await readBody(request.body, MANIFEST_LIMIT_BYTES);
  const mediaType = request.headers["content-type"];
  const isDigest = reference.includes(":");
  // Of a manifest that is pushed by tag, regctl says the digest so where it is no SHA-256.
  const digest = isDigest ? reference : new URLSearchParams(request.query).get("digest");
  if (digest !== null) checkDigest(digest);
  const image = await contents.putImage({ place, manifest: body, ...(mediaType && { mediaType }), ...(digest !== null && { digest }), ...(!isDigest && { tag: reference }) });
  const subject = image.subject ? { "oci-subject": image.subject } : {};
  return { status: 201, headers: { location: `/v2/${pathName}/manifests/${reference}`, "docker-content-digest": image.digest, ...subject } };
}

function deleteManifest({ contents, caller, place, reference }: Exchange): WireResponse {
  authorize({ contents, caller, place }, "BatchDeleteImage");
  if (!contents.deleteImage(place, reference)) throw new RegistryRefusal(404, "MANIFEST_UNKNOWN", `${reference} is not in ${place.name}`);
  return { status: 202 };
}
