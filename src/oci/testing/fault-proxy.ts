import { createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";

/** What the proxy does to a request: nothing, an answer of its own, or something to the registry's answer. */
export type Fault =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Ends the connection after so many bytes of the answer's body. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** Sends nothing more after so many bytes of the answer's body, and keeps the connection. */
  | { readonly kind: "silence"; readonly afterBytes: number }
  /** Ends the connection after so many bytes of the request's body have reached the registry. */
  | { readonly kind: "cutUpload"; readonly afterBytes: number }
  /** Waits before each piece of the answer's body. */
  | { readonly kind: "slow"; readonly msPerChunk: number }
  /** Flips one bit of the answer's body. */
  | { readonly kind: "flip" }
  | { readonly kind: "dropHeader"; readonly name: string }
  /** Keeps the Range header from the registry. */
  | { readonly kind: "dropRange" }
  /** Takes a part of the request's address away. */
  | { readonly kind: "strip"; readonly part: RegExp }
  | { readonly kind: "reset" }
  /** Keeps the request until then; afterwards it goes on, or fails so. */
  | { readonly kind: "hold"; readonly until: Promise<unknown>; readonly then?: Fault };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** How many requests of the method had this in their path. */
  count(method: string, part: string): number;
}

/** A proxy before a registry (or any server) that does what `decide` says, request by request. */
export async function faultProxy(target: string, decide: (seen: SeenRequest, before: number) => Fault | undefined): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    const now: SeenRequest = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers };
    const before = seen.filter(({ method, path }) => method === now.method && path === now.path).length;
    seen.push(now);
    serve({ target, fault: decide(now, before), incoming, outgoing });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    seen,
    count: (method, part) => seen.filter((one) => one.method === method && one.path.includes(part)).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Served {
  readonly target: string;
  readonly fault: Fault | undefined;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

function serve({ target, fault, incoming, outgoing }: Served): void {
  if (fault?.kind === "hold") return void fault.until.then(() => serve({ target, fault: fault.then, incoming, outgoing }));
  if (fault?.kind === "reset") return void incoming.socket.destroy();
  if (fault?.kind === "answer") {
    incoming.resume();
    return void outgoing.writeHead(fault.status, fault.headers).end(fault.body);
  }
  const { method } = incoming;
  const headers = { ...incoming.headers };
  if (fault?.kind === "dropRange") delete headers.range;
  const path = fault?.kind === "strip" ? (incoming.url ?? "/").replace(fault.part, "") : (incoming.url ?? "/");
  const forward = request(new URL(path, target), { method: method ?? "GET", headers, agent: false }, (answer) => {
    const kept = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => fault?.kind !== "dropHeader" || name !== fault.name));
    outgoing.writeHead(answer.statusCode ?? 502, kept);
    // Docker's registry promises the whole blob with a 416, and ends the connection.
    answer.on("close", () => answer.complete || outgoing.destroy());
    answer.pipe(changed(fault, () => outgoing.destroy())).pipe(outgoing);
  });
  forward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => forward.destroy());
  const upload =
    fault?.kind === "cutUpload" ? cutter(fault.afterBytes, () => incoming.socket.destroy()) : new Transform({ transform: pass });
  incoming.pipe(upload).pipe(forward);
  incoming.on("error", () => forward.destroy());
}

function changed(fault: Fault | undefined, end: () => void): Transform {
  if (fault?.kind === "cut") return cutter(fault.afterBytes, end);
  if (fault?.kind === "silence") return silencer(fault.afterBytes);
  if (fault?.kind === "slow")
    return new Transform({ transform: (chunk, _, callback) => void setTimeout(callback, fault.msPerChunk, null, chunk) });
  if (fault?.kind !== "flip") return new Transform({ transform: pass });
  let done = false;
  return new Transform({
    transform(chunk: Buffer, _, callback) {
      const copy = Buffer.from(chunk);
      if (!done && copy.length > 0) copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
      done = true;
      callback(null, copy);
    },
  });
}

function cutter(afterBytes: number, end: () => void): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _, callback) {
      const part = chunk.subarray(0, Math.max(0, afterBytes - passed));
      passed += chunk.length;
      // The bytes so far have to arrive before the connection ends.
      if (passed >= afterBytes) setTimeout(end, 50);
      callback(null, part);
    },
    // Without an end the other side sees a broken connection, not a short message.
    flush: (callback) => void (passed < afterBytes && callback()),
  });
}

function silencer(afterBytes: number): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _, callback) {
      const part = chunk.subarray(0, Math.max(0, afterBytes - passed));
      passed += part.length;
      if (part.length === chunk.length) callback(null, part);
      else this.push(part);
    },
  });
}

const pass = (chunk: Buffer, _: BufferEncoding, callback: (error: null, chunk: Buffer) => void): void => callback(null, chunk);
