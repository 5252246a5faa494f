import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { openSized } from "../aws/steady-object.ts";
import { parseS3Uri } from "../kit/s3-uri.ts";
import { ConsoleError } from "./errors.ts";
import { type EvidenceFile, filesOf } from "./read/evidence.ts";
import type { ReleaseView } from "./read/release.ts";

/** A file that belongs to the release. @throws ConsoleError 404 for any other, be it in the same bucket */
export function findFile(release: ReleaseView, uri: string): EvidenceFile {
  const file = release.evidence && filesOf(release.evidence).find((one) => one.uri === uri);
  if (!file) throw new ConsoleError(404, "No such file belongs to this release.");
  return file;
}

/** Streams an object; the caller says how a browser takes it. */
export async function streamObject(s3: S3Client, uri: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const { size, body } = await openSized(s3, parseS3Uri(uri));
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, { headers: { ...headers, "Content-Length": String(size) } });
}

/** `attachment` with a name that every browser reads (RFC 6266). */
export function attachment(path: string): string {
  const name = path.split("/").at(-1) ?? "file";
  const plain = name.replaceAll(/[^\w.-]/g, "_");
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replaceAll(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}

/** Whether a file can be shown in a frame. */
export const isReport = ({ path }: Pick<EvidenceFile, "path">): boolean => /\.html?$/i.test(path);
