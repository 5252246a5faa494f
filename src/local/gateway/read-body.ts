import { AwsError } from "./aws-error.ts";

/** What a request may hold that is not a stream: CreateWorkflow's 4.4 MB ZIP in base64 is far below it. */
const LIMIT_BYTES = 64 * 1024 * 1024;

/** Reads a whole body. @throws AwsError 413 over 64 MiB */
export async function readBody(body: AsyncIterable<unknown>, limit = LIMIT_BYTES): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).byteLength;
    if (size > limit) throw new AwsError(413, "RequestEntityTooLarge", `the request's body is over ${limit} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
