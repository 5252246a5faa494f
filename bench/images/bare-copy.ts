// What the machine can do: reads blobs over HTTP, hashes them and sends them on to a server that writes them to files.
// Arguments: the upstream's address, the server's, and on stdin the blobs as JSON. Prints {seconds, bytes} as JSON.
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { Agent, request } from "undici";

const [upstream = "", server = ""] = process.argv.slice(2);
const blobs = (await json(process.stdin)) as readonly {
  readonly repository: string;
  readonly digest: string;
  readonly size: number;
}[];
const dispatcher = new Agent({ bodyTimeout: 0, headersTimeout: 0 });
const left = [...blobs];
const startedAt = performance.now();
await Promise.all(
  [1, 2, 3, 4].map(async () => {
    for (let blob = left.shift(); blob; blob = left.shift()) await copy(blob);
  }),
);
process.stdout.write(
  JSON.stringify({
    seconds: (performance.now() - startedAt) / 1000,
    bytes: blobs.reduce((sum, { size }) => sum + size, 0),
  }),
);
await dispatcher.destroy();

async function copy({ repository, digest, size }: (typeof blobs)[number]): Promise<void> {
  const { body } = await request(`${upstream}/v2/${repository}/blobs/${digest}`, { dispatcher });
  const hash = createHash("sha256");
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const answer = await request(`${server}/${digest}`, {
    dispatcher,
    method: "PUT",
    headers: { "content-length": String(size) },
    body: Readable.from(hashed()),
  });
  await answer.body.dump();
  if (`sha256:${hash.digest("hex")}` !== digest) throw new Error(`${digest} arrived as something else`);
}
