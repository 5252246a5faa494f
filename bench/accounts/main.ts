import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import aws4 from "aws4";
import { readProfile } from "../../src/cli/aws/profiles.ts";

// node bench/accounts/main.ts [--requests 2000] [--concurrency 8] [--rounds 3] [--moto PYTHON]
// Requests per second and latencies of the local accounts beside moto's server (`moto[server]` in PYTHON's environment):
// each server a process of its own, the same signed requests from this one, in turn.
const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "2000" },
    concurrency: { type: "string", default: "8" },
    rounds: { type: "string", default: "3" },
    moto: { type: "string" },
  },
});
const [requests, concurrency, rounds] = [Number(values.requests), Number(values.concurrency), Number(values.rounds)];

interface Subject extends AsyncDisposable {
  readonly name: string;
  readonly url: URL;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

interface Asked {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const bodyOf = (index: number): string => `${index} `.padEnd(4096, "x");
const ecr = (operation: string, input: object): Asked => ({
  service: "ecr",
  method: "POST",
  path: "/",
  headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${operation}` },
  body: JSON.stringify(input),
});

/** What is asked before the clock runs, and what is measured. */
const SET_UP: readonly Asked[] = [
  { service: "s3", method: "PUT", path: "/bench-bucket" },
  ecr("CreateRepository", { repositoryName: "bench" }),
];
const OPERATIONS: Readonly<Record<string, (index: number) => Asked>> = {
  "s3 PutObject 4 KiB": (index) => ({ service: "s3", method: "PUT", path: `/bench-bucket/k${index}`, body: bodyOf(index) }),
  "s3 GetObject 4 KiB": (index) => ({ service: "s3", method: "GET", path: `/bench-bucket/k${index}` }),
  "ecr DescribeImages": () => ecr("DescribeImages", { repositoryName: "bench" }),
  "sts GetCallerIdentity": () => ({
    service: "sts",
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "Action=GetCallerIdentity&Version=2011-06-15",
  }),
};

const agent = new Agent({ keepAlive: true, maxSockets: concurrency });

function send({ url, credentials }: Subject, { service, method, path, headers = {}, body }: Asked): Promise<void> {
  const signed = aws4.sign(
    { host: url.host, method, path, service, region: "us-east-1", headers: { ...headers }, ...(body !== undefined && { body }) },
    credentials,
  );
  return new Promise((resolve, reject) => {
    const sent = request(
      { agent, hostname: url.hostname, port: url.port, method, path, headers: signed.headers as Record<string, string> },
      (response) => {
        response.resume();
        response.on("end", () =>
          (response.statusCode ?? 500) < 300
            ? resolve()
            : reject(new Error(`${service} ${method} ${path} answered ${response.statusCode}`)),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

async function measure(subject: Subject, ask: (index: number) => Asked): Promise<Measured> {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let index = next++; index < requests; index = next++) {
        const from = performance.now();
        await send(subject, ask(index));
        times.push(performance.now() - from);
      }
    }),
  );
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { perSecond: (requests * 1000) / (performance.now() - started), p50: at(0.5), p99: at(0.99) };
}

async function startOmx(): Promise<Subject> {
  const dataDir = mkdtempSync(join(tmpdir(), "omx-bench-"));
  const bin = join(import.meta.dirname, "..", "..", "bin", "omx");
  const omx = (...args: readonly string[]) => promisify(execFile)(bin, ["local", ...args, "--data", dataDir]);
  const before = performance.now();
  const { url, pid, configFile } = JSON.parse((await omx("start", "--detach", "--port", "0", "--json")).stdout) as {
    url: string;
    pid: number;
    configFile: string;
  };
  const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  console.log(
    `omx local start --detach: answers after ${Math.round(performance.now() - before)} ms, ${Math.round(resident / 1024)} MiB resident`,
  );
  const credentials = readProfile(configFile, "cicd")?.credentials;
  if (!credentials) throw new Error("there is no profile cicd");
  return {
    name: "omx",
    url: new URL(url),
    credentials,
    async [Symbol.asyncDispose]() {
      await omx("stop");
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function startMoto(python: string): Promise<Subject> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const child: ChildProcess = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  for (let tries = 0; tries < 1200; tries++) {
    if (
      await fetch(`http://127.0.0.1:${port}/moto-api/`).then(
        () => true,
        () => false,
      )
    )
      break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    name: "moto",
    url: new URL(`http://127.0.0.1:${port}`),
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    [Symbol.asyncDispose]: async () => void child.kill(),
  };
}

const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

await using stack = new AsyncDisposableStack();
const subjects = [stack.use(await startOmx()), ...(values.moto ? [stack.use(await startMoto(values.moto))] : [])];
for (const subject of subjects) for (const asked of SET_UP) await send(subject, asked);
for (const [operation, ask] of Object.entries(OPERATIONS)) {
  const results = new Map<string, Measured[]>();
  for (let round = 0; round <= rounds; round++)
    for (const subject of subjects) {
      const measured = await measure(subject, ask);
      if (round > 0) results.set(subject.name, [...(results.get(subject.name) ?? []), measured]); // the first round warms up
    }
  const of = (name: string, figure: keyof Measured) => median((results.get(name) ?? []).map((one) => one[figure]));
  const lines = subjects.map(
    ({ name }) => `${name} ${of(name, "perSecond").toFixed(0)}/s p50 ${of(name, "p50").toFixed(1)} ms p99 ${of(name, "p99").toFixed(1)} ms`,
  );
  console.log(
    `${operation.padEnd(22)} ${lines.join("   ")}${values.moto ? `   ratio ${(of("omx", "perSecond") / of("moto", "perSecond")).toFixed(1)}` : ""}`,
  );
}
agent.destroy();
