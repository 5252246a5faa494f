/**
 * Gives a chunk's memory back at once. Of a layer, thousands of chunks come and go: left to the garbage collector they
 * cost more time than hashing them. Only memory that is this chunk's alone is given back, none of Node's shared pool.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** Chunks that are the reader's until it asks for the next: then their memory is given back. */
export async function* lent(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    release(chunk);
  }
}
