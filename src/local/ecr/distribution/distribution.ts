import { globalContext } from "../../gateway/dispatcher.ts";
import { readBody } from "../../gateway/read-body.ts";
import type { WireRequest, WireResponse } from "../../gateway/service.ts";
import type { Principal } from "../../authorization/principal.ts";
import type { Contents } from "../contents.ts";
import { blobAnswer } from "./blob-answers.ts";
import { conditional, whatIsAsked } from "./conditions.ts";
import { storedLayer } from "../cache/layer-copies.ts";
import { digestOf } from "../layers/digests.ts";
import { acceptedTypes, type Formed, inAcceptedForm } from "../images/manifest-formats.ts";
import { authorize, authorizeAlone, authorizePush, checkDigest, requireRepository } from "./registry-access.ts";
import { methodRefused, RegistryRefusal, refusalOf } from "./refusals.ts";
import { listReferrers, listRepositories, listTags } from "./listings.ts";
import type { Tokens } from "../token.ts";
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
    const isRoot = request.path.replace(/\/$/, "") === "/v2";
    if (isRoot || request.path === "/v2/_catalog") readOnly(request);
    if (isRoot)
      return {
        status: 200,
        headers: { "docker-distribution-api-version": "registry/2.0", "content-type": "application/json" },
        body: "{}",
      };
    if (request.path === "/v2/_catalog") return listRepositories({ contents: registry.contents, caller, request });
    const path = parsePath(request);
    if (!path) throw new RegistryRefusal(404, "NAME_UNKNOWN", `${request.path} names no repository; write <account>/<region>/<repository>`);
    const exchange: Exchange = { ...path, request, caller, contents: registry.contents };
    return await route(exchange);
  } catch (error) {
    // A client that left in the middle reads no answer, and it is nobody's failure here.
    if (request.body.errored === error) return { status: 400 };
    return refusalOf(error, (text) => registry.contents.core.log("ecr", `${request.method} ${request.path}: ${text}`));
  }
}

/** A layer by a link of GetDownloadUrlForLayer. */
export async function serveLayer({ contents, tokens }: Registry, { path, method, headers }: WireRequest): Promise<WireResponse> {
  if (!isRead(method)) return { status: 405, headers: { allow: READS, "content-type": "text/plain" }, body: "a layer is only read here\n" };
  const sha256 = tokens.blobOf(path.slice("/ecr-layers/".length));
  if (!sha256 || !contents.core.blobs.has(sha256))
    return { status: 403, headers: { "content-type": "text/plain" }, body: "the link is false or over\n" };
  return blobAnswer(storedLayer(contents.core, { digest: `sha256:${sha256}`, sha256, size: contents.core.blobs.size(sha256) ?? 0 }), {
    method,
    headers,
  });
}

function signIn({ tokens }: Registry, { headers }: WireRequest): Principal {
  const basic = /^Basic\s+(\S+)$/i.exec(headers["authorization"] ?? "")?.[1];
  const [user = "", password = ""] = Buffer.from(basic ?? "", "base64")
    .toString("utf8")
    .split(/:(.*)/s);
  const principal = user === "AWS" ? tokens.principalOf(password) : undefined;
  // In ECR's words, which clients and their users look for: it answers no challenge, as no second try with the same would help.
  if (principal === "expired")
    throw new RegistryRefusal(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
  if (!principal) throw new RegistryRefusal(401, "UNAUTHORIZED", "sign in with the token of `aws ecr get-login-password`");
  return principal;
}

function route(exchange: Exchange): Promise<WireResponse> | WireResponse {
  const {
    kind,
    request: { method },
  } = exchange;
  if (kind === "uploads") return serveUpload(exchange);
  if (kind === "tags" || kind === "referrers") {
    readOnly(exchange.request);
    return kind === "tags" ? listTags(exchange) : listReferrers(exchange);
  }
  if (kind === "blobs") {
    if (isRead(method)) return getBlob(exchange);
    throw methodRefused(
      READS,
      method === "DELETE" ? "ECR does not delete single layers; they go with their images" : `${method} is not supported for layers`,
    );
  }
  if (isRead(method)) return getManifest(exchange);
  if (method === "PUT") return putManifest(exchange);
  if (method === "DELETE") return deleteManifest(exchange);
  throw methodRefused(`${READS}, PUT, DELETE`, `${method} is not supported for manifests`);
}

const READS = "GET, HEAD";
const isRead = (method: string): boolean => method === "GET" || method === "HEAD";

/** @throws RegistryRefusal UNSUPPORTED for what would change something */
function readOnly({ method }: WireRequest): void {
  if (!isRead(method)) throw methodRefused(READS, `${method} is not supported here`);
}

async function getBlob({ contents, caller, place, reference, request }: Exchange): Promise<WireResponse> {
  // AWS's own policy for pulling (AmazonEC2ContainerRegistryPullOnly) has the first alone.
  authorize({ contents, caller, place }, request.method === "GET" ? "GetDownloadUrlForLayer" : "BatchCheckLayerAvailability");
  checkDigest(reference);
  const size = contents.layerSize(place, reference);
  if (size !== undefined && (request.method === "HEAD" || whatIsAsked(request.headers, `"${reference}"`) !== "content"))
    return blobAnswer({ digest: reference, size }, request);
  const layer = contents.readableLayer(place, reference);
  if (!layer) throw new RegistryRefusal(404, "BLOB_UNKNOWN", `the blob ${reference} is not in ${place.name}`);
  return blobAnswer(layer, request);
}

async function getManifest({ contents, caller, place, reference, request }: Exchange): Promise<WireResponse> {
  // Before the repository is looked for: a pull-through cache makes it.
  authorizeAlone({ contents, caller, place }, "BatchGetImage");
  if (reference.includes(":")) checkDigest(reference);
  const image = await contents.cache.image(place, reference, { caller, context: globalContext(contents.core.clock, place.region) });
  requireRepository({ contents, place });
  if (!image) throw new RegistryRefusal(404, "MANIFEST_UNKNOWN", "Requested image not found");
  const stored = {
    "content-type": image.mediaType,
    "docker-content-digest": image.digest,
    "content-length": String(image.manifestSize),
    etag: `"${image.digest}"`,
  };
  const accepted = reference.includes(":") ? [] : acceptedTypes(request.headers["accept"]);
  const isAsStored = accepted.length === 0 || accepted.includes(image.mediaType);
  if (isAsStored && (request.method === "HEAD" || whatIsAsked(request.headers, stored.etag) !== "content"))
    return conditional(request, { status: 200, headers: stored });
  const bytes = await contents.manifestBytes(image);
  const answered = inAcceptedForm({ mediaType: image.mediaType, bytes }, accepted);
  const headers = answered.bytes === bytes ? stored : headersOf(answered);
  return conditional(request, { status: 200, headers, body: answered.bytes });
}

/** A manifest in another form has a digest of its own, by which nobody can ask for it. */
const headersOf = ({ mediaType, bytes }: Formed) => ({
  "content-type": mediaType,
  "docker-content-digest": digestOf(bytes),
  "content-length": String(bytes.byteLength),
  etag: `"${digestOf(bytes)}"`,
});

async function putManifest({ contents, caller, place, reference, request, pathName }: Exchange): Promise<WireResponse> {
  await authorizePush({ contents, caller, place }, "PutImage");
  // What is too long is read to its end all the same: a sender that is cut off never reads why.
  const body = await readBody(request.body.iterator({ destroyOnReturn: false }), MANIFEST_LIMIT_BYTES);
  const mediaType = request.headers["content-type"];
  const isDigest = reference.includes(":");
  // Of a manifest that is pushed by tag, regctl says the digest so where it is no SHA-256.
  const digest = isDigest ? reference : new URLSearchParams(request.query).get("digest");
  if (digest !== null) checkDigest(digest);
  const image = await contents.putImage({
    place,
    manifest: body,
    ...(mediaType && { mediaType }),
    ...(digest !== null && { digest }),
    ...(!isDigest && { tag: reference }),
  });
  const subject = image.subject ? { "oci-subject": image.subject } : {};
  return {
    status: 201,
    headers: { location: `/v2/${pathName}/manifests/${reference}`, "docker-content-digest": image.digest, ...subject },
  };
}

function deleteManifest({ contents, caller, place, reference }: Exchange): WireResponse {
  authorize({ contents, caller, place }, "BatchDeleteImage");
  if (!contents.deleteImage(place, reference)) throw new RegistryRefusal(404, "MANIFEST_UNKNOWN", `${reference} is not in ${place.name}`);
  return { status: 202 };
}
