import { type Answer, ask, expectAnswer, expectDigest, locationOf, Unsupported, type WalkedRegistry, within } from "./registry.ts";

export interface Upload {
  readonly registry: WalkedRegistry;
  readonly repository: string;
  readonly bytes: Buffer;
  /** The digest that is claimed. */
  readonly digest: string;
}

export const OCTETS = { "content-type": "application/octet-stream" };
const CHUNK_BYTES = 1024;

/** How large chunks must be here: what the registry says of it, and 1 KiB where it says nothing. */
export const chunkSize = ({ headers }: Answer): number => Math.max(CHUNK_BYTES, Number(headers.get("oci-chunk-min-length") ?? 0));

/** Opens an upload. */
export const begin = async ({ registry, repository }: Pick<Upload, "registry" | "repository">): Promise<Answer> =>
  expectAnswer(await ask(registry, "POST", within(registry, repository, "blobs/uploads/"), { headers: { "content-length": "0" } }), {
    status: 202,
  });

const finish = (
  { registry, digest }: Upload,
  at: string,
  body?: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => ask(registry, "PUT", at, { query: { digest }, headers: { ...OCTETS, ...headers }, ...(body && { body }) });

/** Every way a blob can be sent (specification, "Pushing blobs"); each gives the answer that ends it. */
export const FORMS = {
  "one POST": async (upload: Upload) => {
    const { registry, repository, bytes, digest } = upload;
    const answer = await ask(registry, "POST", within(registry, repository, "blobs/uploads/"), {
      query: { digest },
      headers: OCTETS,
      body: bytes,
    });
    if (answer.status !== 202) return answer;
    const ended = await finish(upload, locationOf(answer), bytes);
    if (ended.status !== 201) return ended;
    throw new Unsupported("a POST with the whole blob is answered with an upload");
  },
  "POST and PUT": async (upload: Upload) => finish(upload, locationOf(await begin(upload)), upload.bytes),
  "one chunk": (upload: Upload) => chunks(upload, { count: 1 }),
  "a stream of unknown length": async (upload: Upload) => {
    const { registry, bytes } = upload;
    const sent = expectAnswer(
      await ask(registry, "PATCH", locationOf(await begin(upload)), { headers: OCTETS, body: bytes, isStream: true }),
      { status: 202 },
    );
    return finish(upload, locationOf(sent));
  },
  "three chunks": (upload: Upload) => chunks(upload, { count: 3 }),
  "three chunks, the last by PUT": (upload: Upload) => chunks(upload, { count: 3, putLast: true }),
  "three chunks, each after one out of order": (upload: Upload) => chunks(upload, { count: 3, isDisordered: true }),
  "three chunks, each after one out of order, the last by PUT": (upload: Upload) =>
    chunks(upload, { count: 3, isDisordered: true, putLast: true }),
} as const satisfies Readonly<Record<string, (upload: Upload) => Promise<Answer>>>;

export type Form = keyof typeof FORMS;

/** Uploads a blob and reads it back from the Location of the answer. */
export async function uploadBlob(upload: Upload, form: Form): Promise<void> {
  const made = expectAnswer(await FORMS[form](upload), { status: 201 });
  expectDigest(made, upload.digest);
  expectAnswer(await ask(upload.registry, "GET", locationOf(made)), { status: 200, body: upload.bytes });
}

interface Plan {
  readonly count: number;
  readonly putLast?: boolean;
  readonly isDisordered?: boolean;
}

interface Chunk {
  readonly first: number;
  readonly bytes: Buffer;
}

async function chunks(upload: Upload, { count, putLast = false, isDisordered = false }: Plan): Promise<Answer> {
  const opened = await begin(upload);
  const size = Math.max(chunkSize(opened), Math.ceil(upload.bytes.length / count));
  const all: Chunk[] = [];
  for (let first = 0; first < upload.bytes.length; first += size) all.push({ first, bytes: upload.bytes.subarray(first, first + size) });
  let at = locationOf(opened);
  for (const [index, chunk] of all.entries()) {
    const isLast = index === all.length - 1;
    // A client finds its way back by the upload's status.
    if (isDisordered) at = await refused(upload, { at, wrong: outOfOrder(all, index), received: chunk.first, putLast });
    const answer = await send(upload, { at, chunk, isPut: putLast && isLast });
    if (putLast && isLast) return answer;
    at = locationOf(expectAnswer(answer, { status: 202, headers: { range: `0-${chunk.first + chunk.bytes.length - 1}` } }));
  }
  return finish(upload, at);
}

/** The one after the next, or the first again; where there is only one, as if as many bytes had been sent before. */
const outOfOrder = (all: readonly Chunk[], index: number): Chunk => {
  const [only] = all as [Chunk];
  return all[index + 1] ?? (all.length > 1 ? only : { ...only, first: only.bytes.length });
};

const send = (
  upload: Upload,
  { at, chunk, isPut }: { readonly at: string; readonly chunk: Chunk; readonly isPut: boolean },
): Promise<Answer> => {
  const headers = { ...OCTETS, "content-range": `${chunk.first}-${chunk.first + chunk.bytes.length - 1}` };
  return isPut ? finish(upload, at, chunk.bytes, headers) : ask(upload.registry, "PATCH", at, { headers, body: chunk.bytes });
};

interface Wrong {
  readonly at: string;
  readonly wrong: Chunk;
  readonly received: number;
  readonly putLast: boolean;
}

async function refused(upload: Upload, { at, wrong, received, putLast }: Wrong): Promise<string> {
  const isPut = putLast && wrong.first + wrong.bytes.length === upload.bytes.length;
  expectAnswer(await send(upload, { at, chunk: wrong, isPut }), { status: 416 });
  // Some clients go back with the digest of their PUT still in the address.
  const status = expectAnswer(await ask(upload.registry, "GET", at, isPut ? { query: { digest: upload.digest } } : {}), { status: 204 });
  const range = status.headers.get("range");
  if (range === null || !/^0-\d+$/.test(range) || (received > 0 && range !== `0-${received - 1}`))
    throw new Error(`${at}: Range ${range} after ${received} bytes`);
  return locationOf(status);
}
