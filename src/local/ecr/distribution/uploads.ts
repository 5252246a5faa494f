import type { WireResponse } from "../../gateway/service.ts";
import { authorize, authorizePush, checkDigest } from "./registry-access.ts";
import { methodRefused, RegistryRefusal } from "./refusals.ts";
import type { Exchange } from "./registry-path.ts";
import type { Layer, Upload } from "../store.ts";

/** Uploads of blobs in every form of the specification ("Pushing blobs"). */
export async function serveUpload(exchange: Exchange): Promise<WireResponse> {
  const { contents, caller, place, reference, request } = exchange;
  await authorizePush({ contents, caller, place }, "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload");
  const query = new URLSearchParams(request.query);
  if (request.method === "POST" && reference === "") return begin(exchange, query);
  const upload = contents.uploads.find(place, reference);
  switch (request.method) {
    case "GET":
    case "HEAD":
      return progress(exchange, upload, 204);
    case "PATCH":
      await appendChunk(exchange, upload);
      return progress(exchange, upload, 202);
    case "PUT":
      return finish(exchange, upload, query.get("digest"));
    case "DELETE":
      contents.uploads.cancel(upload);
      return { status: 204 };
    default:
      throw methodRefused("GET, HEAD, PATCH, PUT, DELETE", `${request.method} is not supported for uploads`);
  }
}

async function begin(exchange: Exchange, query: URLSearchParams): Promise<WireResponse> {
  const { contents, place } = exchange;
  const [mount, from, digest] = [query.get("mount"), query.get("from"), query.get("digest")];
  if (mount) {
    checkDigest(mount);
    const mounted = contents.layer(place, mount) ?? mountFrom(exchange, from, mount);
    if (mounted) return created(exchange, mounted);
  }
  if (digest) checkDigest(digest);
  const upload = contents.uploads.begin(place);
  if (!digest) return progress(exchange, upload, 202);
  // A whole blob in the POST itself: nobody knows the upload's address, and so nobody could go on with it.
  return finish(exchange, upload, digest).catch((error: unknown) => {
    contents.uploads.cancel(upload);
    throw error;
  });
}

/** The other repository is named as the client names repositories: with account and region, or without. */
function mountFrom(exchange: Exchange, from: string | null, digest: string): Layer | undefined {
  const { contents, caller, place } = exchange;
  const name = from?.replace(new RegExp(`^${place.account}/${place.region}/`), "");
  if (!name || /^\d{12}\//.test(name)) return undefined;
  try {
    authorize({ contents, caller, place: { ...place, name } }, "GetDownloadUrlForLayer", "BatchCheckLayerAvailability");
  } catch (error) {
    // What may not be read can't be mounted: the client uploads instead, as the specification has it.
    if (error instanceof RegistryRefusal) return undefined;
    throw error;
  }
  return contents.mount(place, name, digest);
}

async function appendChunk(exchange: Exchange, upload: Upload): Promise<void> {
  const { contents, request } = exchange;
  const said = checkRange(request, { received: contents.uploads.received(upload), status: statusOf(exchange, upload) });
  const sizeBytes = Number(request.headers["content-length"] ?? 0);
  const length = said === undefined ? undefined : lengthCheck(said);
  await contents.uploads.append(upload, request.body, { sizeBytes, ...(length && { check: length.more }) });
  length?.end();
}

/** Of a chunk whose length only its range says. Both throw RegistryRefusal SIZE_INVALID: for one that is longer, or ends shorter. */
function lengthCheck(said: number) {
  let sent = 0;
  return {
    more({ byteLength }: Uint8Array): void {
      sent += byteLength;
      if (sent > said) throw new RegistryRefusal(400, "SIZE_INVALID", `the chunk has more than the ${said} bytes of its Content-Range`);
    },
    end(): void {
      if (sent < said) throw new RegistryRefusal(400, "SIZE_INVALID", `the chunk has ${sent} of the ${said} bytes of its Content-Range`);
    },
  };
}

/**
 * Chunks come in order and are as long as they say.
 * @returns how many bytes the range says there are; undefined where there is none
 * @throws RegistryRefusal with 416, BLOB_UPLOAD_INVALID, SIZE_INVALID
 */
function checkRange(
  { headers }: Exchange["request"],
  { received, status }: { readonly received: number; readonly status: Readonly<Record<string, string>> },
): number | undefined {
  const given = headers["content-range"];
  if (given === undefined) return undefined;
  const [, first, last] = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(given) ?? [];
  if (first === undefined || Number(last) < Number(first))
    throw new RegistryRefusal(400, "BLOB_UPLOAD_INVALID", `Content-Range: ${given} is no range; write <first>-<last>`);
  if (Number(first) !== received)
    throw new RegistryRefusal(416, "BLOB_UPLOAD_INVALID", `the chunk starts at ${first}, ${received} bytes were received`, status);
  const said = Number(last) - Number(first) + 1;
  const sent = headers["content-length"];
  if (sent !== undefined && Number(sent) !== said)
    throw new RegistryRefusal(400, "SIZE_INVALID", `Content-Range: ${given} means ${said} bytes, Content-Length says ${sent}`, status);
  return said;
}

async function finish(exchange: Exchange, upload: Upload, digest: string | null): Promise<WireResponse> {
  if (!digest) throw new RegistryRefusal(400, "DIGEST_INVALID", "the digest is missing");
  checkDigest(digest);
  await appendChunk(exchange, upload);
  return created(exchange, await exchange.contents.uploads.complete(upload, digest));
}

const created = ({ pathName }: Exchange, { digest }: Layer): WireResponse => ({
  status: 201,
  headers: { location: `/v2/${pathName}/blobs/${digest}`, "docker-content-digest": digest },
});

/** Where to go on, and what there is. */
const statusOf = ({ pathName, contents }: Exchange, upload: Upload): Readonly<Record<string, string>> => ({
  location: `/v2/${pathName}/blobs/uploads/${upload.id}`,
  "docker-upload-uuid": upload.id,
  range: `0-${Math.max(0, contents.uploads.received(upload) - 1)}`,
});

const progress = (exchange: Exchange, upload: Upload, status: number): WireResponse => ({ status, headers: statusOf(exchange, upload) });
