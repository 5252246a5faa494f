import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Descriptor } from "../manifest.ts";

/** A registry to read from, of whatever documents it is given: no rule keeps it from offering what others refuse to store. */
export interface StaticRegistry extends AsyncDisposable {
  readonly url: string;
  /** Offers bytes; their descriptor without a media type. */
  blob(bytes: Buffer, algorithm?: "sha256" | "sha512"): Pick<Descriptor, "digest" | "size">;
  /** Offers a manifest, under a tag too where one is given; with another Content-Type than its own, and named by another algorithm than sha256, where those are given. */
  manifest(
    document: { readonly mediaType: string; readonly [member: string]: unknown },
    tag?: string,
    contentType?: string,
    algorithm?: "sha256" | "sha512",
  ): Descriptor;
}

export async function staticRegistry(): Promise<StaticRegistry> {
  const offered = new Map<string, { readonly type: string; readonly bytes: Buffer; readonly digest: string }>();
  const server = createServer((request, answer) => {
    if (request.url === "/v2/") return void answer.end("{}");
    const reference = decodeURIComponent((request.url ?? "").split("/").at(-1) ?? "");
    const found = offered.get(reference);
    if (!found) return void answer.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not offered"}]}');
    answer.writeHead(200, { "content-type": found.type, "content-length": found.bytes.length, "docker-content-digest": found.digest });
    answer.end(request.method === "HEAD" ? undefined : found.bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const offer = (type: string, bytes: Buffer, algorithm: "sha256" | "sha512") => {
    const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
    offered.set(digest, { type, bytes, digest });
    return { digest, size: bytes.length };
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    blob: (bytes, algorithm = "sha256") => offer("application/octet-stream", bytes, algorithm),
    manifest(document, tag, contentType = document.mediaType, algorithm: "sha256" | "sha512" = "sha256") {
      const bytes = Buffer.from(JSON.stringify(document));
      const about = offer(contentType, bytes, algorithm);
      if (tag !== undefined) offered.set(tag, { type: contentType, bytes, digest: about.digest });
      return { mediaType: document.mediaType, ...about };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
