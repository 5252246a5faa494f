import type { WireRequest, WireResponse } from "../../gateway/service.ts";
import type { ByteRange } from "../../storage/blobs.ts";
import { conditional, whatIsAsked } from "./conditions.ts";
import type { ReadableLayer } from "../cache/layer-copies.ts";

type Asked = Pick<WireRequest, "method" | "headers">;

/** A blob, or the part of it that is asked for; nothing of it is opened for who asks for its headers alone. */
export async function blobAnswer(
  layer: Pick<ReadableLayer, "digest" | "size"> & Partial<ReadableLayer>,
  request: Asked,
): Promise<WireResponse> {
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": layer.digest,
    "accept-ranges": "bytes",
    etag: `"${layer.digest}"`,
  };
  const whole = { status: 200, headers: { ...headers, "content-length": String(layer.size) } };
  if (request.method === "HEAD" || whatIsAsked(request.headers, headers.etag) !== "content") return conditional(request, whole);
  const bodyOf = async (part?: ByteRange) => {
    if (!layer.open) return {};
    await layer.reaches?.(part?.start ?? 0);
    return { body: layer.open(part) };
  };
  const part = askedPart(request.headers, { etag: headers.etag, size: layer.size });
  if (part === undefined) return { ...whole, ...(await bodyOf()) };
  const { start, end } = part;
  if (start >= layer.size || start > end) return { status: 416, headers: { "content-range": `bytes */${layer.size}` } };
  return {
    status: 206,
    headers: { ...headers, "content-length": String(end - start + 1), "content-range": `bytes ${start}-${end}/${layer.size}` },
    ...(await bodyOf(part)),
  };
}

/** The one range that is asked for; undefined where the whole is to be answered (RFC 9110 section 14.2). */
function askedPart(asked: WireRequest["headers"], { etag, size }: { readonly etag: string; readonly size: number }): ByteRange | undefined {
  // Who holds a part of something else gets the whole (RFC 9110 section 13.1.5).
  if (asked["if-range"] !== undefined && asked["if-range"] !== etag) return undefined;
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/i.exec(asked["range"] ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  return { start, end: first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}
