import { spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { CreateRepositoryCommand, DescribeImagesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { startAccounts } from "../../src/local/testing/accounts.ts";

// node bench/accounts/main.ts [--requests 600] [--concurrency 8] [--rounds 3] [--moto PYTHON]
// Requests per second and latencies of the local accounts beside moto's server (`moto[server]` in PYTHON's environment),
// the same requests in the same run, in turn.
const { values } = parseArgs({ options: { requests: { type: "string", default: "600" }, concurrency: { type: "string", default: "8" }, rounds: { type: "string", default: "3" }, moto: { type: "string" } } });
const [requests, concurrency, rounds] = [Number(values.requests), Number(values.concurrency), Number(values.rounds)];

interface Subject {
  readonly name: string;
  readonly operations: Readonly<Record<string, (index: number) => Promise<unknown>>>;
}
interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function subject(name: string, config: ConstructorParameters<typeof S3Client>[0] & object): Promise<Subject> {
  const [s3, ecr, sts] = [new S3Client(config), new ECRClient(config as object), new STSClient(config as object)];
  const Body = Buffer.alloc(4096, "x");
  await s3.send(new CreateBucketCommand({ Bucket: "bench-bucket" }));
  await ecr.send(new CreateRepositoryCommand({ repositoryName: "bench" }));
  return {
    name,
    operations: {
      "s3 PutObject 4 KiB": (index) => s3.send(new PutObjectCommand({ Bucket: "bench-bucket", Key: `k${index}`, Body })),
      "s3 GetObject 4 KiB": async (index) => (await s3.send(new GetObjectCommand({ Bucket: "bench-bucket", Key: `k${index}` }))).Body?.transformToByteArray(),
      "ecr DescribeImages": () => ecr.send(new DescribeImagesCommand({ repositoryName: "bench" })),
      "sts GetCallerIdentity": () => sts.send(new GetCallerIdentityCommand({})),
    },
  };
}

async function measure(work: (index: number) => Promise<unknown>): Promise<Measured> {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, async () => {
    for (let index = next++; index < requests; index = next++) {
      const from = performance.now();
      await work(index);
      times.push(performance.now() - from);
    }
  }));
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { perSecond: (requests * 1000) / (performance.now() - started), p50: at(0.5), p99: at(0.99) };
}

const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

async function startMoto(python: string) {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = probe.address() as AddressInfo;
      probe.close(() => resolve(free));
    });
  });
  const child = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  for (let tries = 0; tries < 200; tries++) {
    if (await fetch(`http://127.0.0.1:${port}/moto-api/`).then(() => true, () => false)) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { child, config: { endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" }, forcePathStyle: true } };
}

const before = performance.now();
await using accounts = await startAccounts();
console.log(`local accounts answer after ${Math.round(performance.now() - before)} ms in this process`);
const moto = values.moto ? await startMoto(values.moto) : undefined;
const subjects = [await subject("omx", accounts.config()), ...(moto ? [await subject("moto", moto.config)] : [])];
for (const operation of Object.keys(subjects[0]?.operations ?? {})) {
  const results = new Map<string, Measured[]>();
  for (let round = 0; round <= rounds; round++)
    for (const { name, operations } of subjects) {
      const measured = await measure(operations[operation] ?? (() => Promise.resolve()));
      if (round > 0) results.set(name, [...(results.get(name) ?? []), measured]); // the first round warms up
    }
  const row = (name: string) => {
    const all = results.get(name) ?? [];
    return { perSecond: median(all.map((one) => one.perSecond)), p50: median(all.map((one) => one.p50)), p99: median(all.map((one) => one.p99)) };
  };
  const lines = subjects.map(({ name }) => `${name} ${row(name).perSecond.toFixed(0)}/s p50 ${row(name).p50.toFixed(1)} ms p99 ${row(name).p99.toFixed(1)} ms`);
  console.log(`${operation.padEnd(22)} ${lines.join("   ")}${moto ? `   ratio ${(row("omx").perSecond / row("moto").perSecond).toFixed(1)}` : ""}`);
}
moto?.child.kill();
