import { spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import aws4 from "aws4";

/** What the server's process has used since its start. */
export interface Used {
  readonly cpuMicros: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Local accounts in another process, and signed requests to them. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  send(method: string, path: string, body?: object): Promise<Answer>;
  used(): Promise<Used>;
}

export interface ServerOptions {
  readonly dataDir: string;
  readonly connections: number;
  /** Writes a CPU profile of the server to this folder. */
  readonly profileTo?: string | undefined;
}

export async function startServer({ dataDir, connections, profileTo }: ServerOptions): Promise<ServerProcess> {
  const profiling = profileTo === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileTo}`];
  const script = fileURLToPath(new URL("./server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", ...profiling, script, dataDir], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const read = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the local accounts ended");
    return JSON.parse(value) as T;
  };
  const { url, ...credentials } = await read<{ url: string; accessKeyId: string; secretAccessKey: string }>();
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    url,
    credentials,
    pid: child.pid ?? 0,
    send: (method, path, body) => send({ agent, url, credentials, method, path, body: body && JSON.stringify(body) }),
    used() {
      child.stdin.write("\n");
      return read<Used>();
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      child.stdin.end();
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

interface Sending {
  readonly agent: Agent;
  readonly url: string;
  readonly credentials: ServerProcess["credentials"];
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
}

function send({ agent, url, credentials, method, path, body }: Sending): Promise<Answer> {
  const { host, hostname, port } = new URL(url);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const signed = aws4.sign(
    { host, method, path, service: "omics", region: "us-east-1", headers, ...(body !== undefined && { body }) },
    credentials,
  );
  return new Promise((resolve, reject) => {
    const sent = request({ agent, hostname, port, method, path, headers: signed.headers as Record<string, string> }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
