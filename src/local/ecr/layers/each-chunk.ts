import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { release } from "../../../oci/client/chunk-memory.ts";

/**
 * Hands on each chunk of a body as it arrives, and gives its memory back, without promises in between: of a layer there are
 * thousands of chunks. What is refused in the middle stays unread for who answers: a sender that is cut off never reads why.
 * @throws what `take` throws; the body's error, and one where it ends too soon
 */
export async function eachChunk(body: Readable, take: (chunk: Uint8Array) => void): Promise<void> {
  const refused = new AbortController();
  const onData = (chunk: Uint8Array): void => {
    try {
      take(chunk);
      release(chunk);
    } catch (error) {
      body.off("data", onData).pause();
      refused.abort(error);
    }
  };
  body.on("data", onData);
  try {
    await finished(body, { writable: false, signal: refused.signal });
  } catch (error) {
    throw refused.signal.aborted ? refused.signal.reason : error;
  } finally {
    body.off("data", onData);
  }
}
