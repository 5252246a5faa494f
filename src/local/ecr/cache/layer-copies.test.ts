import {
  BatchCheckLayerAvailabilityCommand,
  CreatePullThroughCacheRuleCommand,
  DeletePullThroughCacheRuleCommand,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { pushSample } from "../../../oci/testing/sample-images.ts";
import { signIn } from "../testing/registry.ts";
import { type CachedAccounts, collectEvents, sample, startCached, until } from "../testing/upstream.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

// The upstream is Debian's docker-registry behind a proxy that counts, under the name quay.io.

let cached: CachedAccounts;
let events: Awaited<ReturnType<typeof collectEvents>>;
beforeAll(async () => {
  cached = await startCached();
  events = await collectEvents(cached);
});
afterAll(() => cached[Symbol.asyncDispose]());

test("layers that are still upstream are as good as here, and come when they are asked for", async () => {
  cached.fail(({ method, path }) => (method === "GET" && path.includes("/v2/lazy/blobs/") ? { kind: "answer", status: 403 } : undefined));
  await pushSample(cached.at("lazy"), "1", sample("lazy"));
  const repositoryName = "quay/lazy";
  expect((await cached.manifest(`${repositoryName}/manifests/1`)).status).toBe(200);
  expect((await events.synced(repositoryName)).detail).toMatchObject({ "sync-status": "FAILED", "failure-code": "UpstreamAccessDenied" });
  const [first, second] = sample("lazy").layers;
  const head = await cached.manifest(`${repositoryName}/blobs/${digestOf(first!)}`, "HEAD");
  expect([head.status, head.headers.get("content-length")]).toEqual([200, String(first!.length)]);
  expect(
    (await cached.user.ecr.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [digestOf(first!)] }))).layers,
  ).toMatchObject([{ layerAvailability: "AVAILABLE", layerSize: first!.length }]);
  expect((await cached.manifest(`${repositoryName}/blobs/${digestOf(first!)}`)).status).toBe(403);
  cached.fail(undefined);
  expect(await (await cached.manifest(`${repositoryName}/blobs/${digestOf(first!)}`)).arrayBuffer()).toHaveProperty(
    "byteLength",
    first!.length,
  );
  const { downloadUrl } = await cached.user.ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: digestOf(second!) }));
  expect(digestOf(new Uint8Array(await (await fetch(downloadUrl!)).arrayBuffer()))).toBe(digestOf(second!));
});

test("layers that are upstream when their rule is deleted are told to be out of reach", async () => {
  const { ecr } = cached.user;
  await ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "going", upstreamRegistryUrl: "quay.io" }));
  await pushSample(cached.at("gone"), "1", sample("gone"));
  cached.fail(({ method, path }) => (method === "GET" && path.includes("/v2/gone/blobs/") ? { kind: "answer", status: 403 } : undefined));
  expect((await cached.manifest("going/gone/manifests/1")).status).toBe(200);
  await events.synced("going/gone");
  cached.fail(undefined);
  await ecr.send(new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "going" }));
  const answer = await cached.manifest(`going/gone/blobs/${digestOf(sample("gone").layers[0]!)}`);
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringMatching(/rule for it was deleted/)]);
});

test("what a stop interrupts goes on at the next start", async () => {
  await using own = await startCached();
  const { digest } = await pushSample(own.at("stopped"), "1", sample("stopped"));
  own.fail(({ method, path }) => (method === "GET" && path.includes("/blobs/") ? { kind: "answer", status: 503 } : undefined));
  expect((await own.user.http("GET", "quay/stopped/manifests/1")).headers.get("docker-content-digest")).toBe(digest);
  await until(() => own.asked.count("GET", "/blobs/") > 0);
  own.fail(undefined);
  await own.accounts.restart();
  const { blobs } = own.accounts.accounts.core;
  await until(() => sample("stopped").layers.every((bytes) => blobs.has(digestOf(bytes).slice("sha256:".length))));
  await using user = await signIn(own.accounts);
  expect((await user.ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData).toHaveLength(1);
  expect((await user.http("GET", `quay/stopped/blobs/${digestOf(sample("stopped").layers[1]!)}`)).status).toBe(200);
});
