import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeRepositoriesCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { type CachedAccounts, startCached } from "../local/ecr/testing/upstream.ts";
import { cliAt } from "./testing/in-process.ts";
import { readsUpstreamAt } from "./testing/kept-options.ts";
import type { Pulling } from "./images/pull.ts";

// Accounts and registries of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

// The accounts' ECR has a rule `quay` for quay.io, which compares a tag with upstream once a day.

const HOUR_MS = 3_600_000;

let cached: CachedAccounts;
beforeAll(async () => {
  cached = await startCached();
  readsUpstreamAt(cached, cached.asked.url);
});
afterAll(() => cached[Symbol.asyncDispose]());

const push = (name: string, seed = name) => pushSample(cached.at(name), "1", { layers: [noise(`${seed}-1`, 30_000)] });

async function pull(cli: ReturnType<typeof cliAt>, ...args: readonly string[]) {
  const { code, json } = await cli.run("images", "pull", ...args, "--profile", "cicd", "--json");
  const {
    images: [image],
    ...rest
  } = json<Pulling>();
  return { code, ...rest, ...image };
}

/** What was found out before is as old as if it had been so much earlier. */
function timePasses(ms: number): void {
  const file = join(cached.accounts.dataDir, "seen-images.json");
  const kept = JSON.parse(readFileSync(file, "utf8")) as Record<string, number>;
  writeFileSync(file, JSON.stringify(Object.fromEntries(Object.entries(kept).map(([key, at]) => [key, at - ms]))));
}

const isMade = (repositoryName: string) =>
  cached.user.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] })).then(
    () => true,
    () => false,
  );

test("a tag that has moved upstream is brought as it is there now, and stays so, although the cache does not know it yet", async () => {
  using cli = cliAt(cached.accounts);
  const before = await push("moving", "moving before");
  expect(await pull(cli, "quay.io/moving:1")).toMatchObject({ code: 0, digest: before.digest, status: "PULLED" });
  const after = await push("moving", "moving after");
  expect(await pull(cli, "quay.io/moving:1")).toMatchObject({
    digest: before.digest,
    status: "SKIPPED",
    requests: 1,
    reason: expect.stringContaining("upstream was asked less than five minutes ago, --fresh asks again"),
  });
  timePasses(0.1 * HOUR_MS);
  expect(await pull(cli, "quay.io/moving:1")).toMatchObject({
    code: 0,
    digest: after.digest,
    status: "PULLED",
    reason: expect.stringMatching(new RegExp(`^upstream has moved the tag, .* takes it for ${before.digest} until it compares again`)),
  });
  expect(await pull(cli, "quay.io/moving:1")).toMatchObject({
    digest: after.digest,
    status: "SKIPPED",
    reason: expect.stringContaining(before.digest),
  });
  const last = await push("moving", "moving last");
  const fresh = await cli.run("images", "pull", "quay.io/moving:1", "--fresh", "--profile", "cicd");
  expect(fresh.stdout).toMatch(new RegExp(`^PULLED .*@${last.digest} \\(0 B; upstream has moved the tag`));
});

test("an image that was found whole is looked at again, layer by layer, a day later", async () => {
  using cli = cliAt(cached.accounts);
  await push("dated");
  await pull(cli, "quay.io/dated:1");
  timePasses(23 * HOUR_MS);
  expect(await pull(cli, "quay.io/dated:1")).toMatchObject({ status: "SKIPPED", requests: 2 });
  timePasses(2 * HOUR_MS);
  expect(await pull(cli, "quay.io/dated:1")).toMatchObject({ status: "SKIPPED", requests: 4 });
});

test("plan and lock notice a moved tag, and have the cache bring nothing", async () => {
  using cli = cliAt(cached.accounts);
  const before = await push("looked", "looked before");
  const flags = ["--profile", "cicd", "--json"] as const;
  const plan = async () => (await cli.run("images", "plan", "quay.io/looked:1", ...flags)).json<{ images: readonly object[] }>().images;
  expect(await plan()).toMatchObject([{ status: "PULL", digest: before.digest }]);
  writeFileSync(
    join(cli.folder, "main.wdl"),
    'version 1.0\ntask t {\n  command <<< echo >>>\n  runtime { docker: "quay.io/looked:1" }\n}\nworkflow w { call t }\n',
  );
  writeFileSync(join(cli.folder, "omx.yaml"), 'name: looked\nversion: "1.0"\n');
  const lock = async () => (await cli.run("images", "lock", cli.folder, ...flags)).json<{ images: readonly object[] }>().images;
  expect(await lock()).toMatchObject([{ status: "NOT_STAGED", digest: before.digest }]);
  expect(await isMade("quay/looked")).toBe(false);
  await pull(cli, "quay.io/looked:1");
  expect(await plan()).toMatchObject([{ status: "SKIP" }]);
  expect(await lock()).toMatchObject([{ status: "NEW", digest: before.digest }]);
  const file = join(cli.folder, "containers.lock.json");
  writeFileSync(file, readFileSync(file, "utf8").replace("111122223333.dkr", "444455556666.dkr"));
  expect(await lock()).toMatchObject([
    { status: "MOVED", reason: expect.stringContaining("the same bytes; their place in ECR was 444455556666.dkr.ecr") },
  ]);
  const after = await push("looked", "looked after");
  expect(await plan()).toMatchObject([{ status: "MOVED", digest: after.digest, present: before.digest }]);
  const ofProject = await cli.run("images", "plan", "--project", cli.folder, "--profile", "cicd");
  expect(ofProject.stdout).toContain(
    `SKIP   quay.io/looked:1@${before.digest} → 111122223333.dkr.ecr.us-east-1.amazonaws.com/quay/looked:1@${before.digest}\n`,
  );
  expect(await lock()).toMatchObject([{ status: "NOT_STAGED", digest: after.digest, before: before.digest }]);
  timePasses(0.1 * HOUR_MS);
  await pull(cli, "quay.io/looked:1");
  expect(await lock()).toMatchObject([{ status: "MOVED", digest: after.digest, before: before.digest }]);
});

test("verify finds missing what the cache could bring again", async () => {
  using cli = cliAt(cached.accounts);
  const { digest } = await push("verified");
  const image = `111122223333.dkr.ecr.us-east-1.amazonaws.com/quay/verified@${digest}`;
  writeFileSync(
    join(cli.folder, "containers.lock.json"),
    JSON.stringify({ version: 1, images: [{ image: "quay.io/verified:1", source: "quay.io/verified:1", target: image, digest }] }),
  );
  const verify = async () =>
    (await cli.run("images", "verify", cli.folder, "--profile", "cicd", "--json")).json<{ ok: boolean; images: readonly object[] }>();
  expect(await verify()).toMatchObject({ ok: false, images: [{ problems: [expect.stringContaining("is not there")] }] });
  expect(await isMade("quay/verified")).toBe(false);
  await pull(cli, "quay.io/verified:1");
  expect(await verify()).toMatchObject({ ok: true });
});

test("where only ECR gets through to upstream its cache decides, and the reason says what is not known", async () => {
  using cli = cliAt(cached.accounts);
  const { digest } = await push("walled");
  // TLS where none is spoken: out of reach at the first try.
  readsUpstreamAt(cached, cached.asked.url.replace("http:", "https:"));
  try {
    const pulled = await pull(cli, "quay.io/walled:1");
    expect(pulled).toMatchObject({
      code: 0,
      status: "PULLED",
      digest,
      reason: expect.stringMatching(/^ECR's pull-through cache has it; whether its tag has moved upstream is not known: /),
    });
    expect(await pull(cli, "quay.io/walled:1", "--fresh")).toMatchObject({
      code: 1,
      status: "FAILED",
      reason: expect.stringContaining("quay.io cannot be reached"),
    });
  } finally {
    readsUpstreamAt(cached, cached.asked.url);
  }
});
