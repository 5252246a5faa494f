import { writeFileSync } from "node:fs";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { RegistryMapping } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CICD, PRODUCTION, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { createRepository, hostOf, type RegistryUser, signIn } from "../local/ecr/testing/registry.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import type { ContainersLock } from "../release/images/lock/lock.ts";
import { describeContent } from "../release/promote/bundle.ts";
import { mergeOnce } from "../release/images/repositories/ensure-policies.ts";
import { productionStatements } from "../release/images/repositories/repository-policy.ts";
import { cliAt } from "./testing/in-process.ts";
import { release } from "./testing/released.ts";

// A bundle's record, lock and map are changed by somebody who can write all three, sums of the files included.

let accounts: TestAccounts;
let cicd: RegistryUser;
let lock: ContainersLock;
beforeAll(async () => {
  accounts = await startAccounts();
  cicd = await signIn(accounts);
  lock = { version: 1, images: await Promise.all(["bundle/tool", "bundle/other"].map(staged)) };
});
afterAll(async () => {
  await cicd[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

async function staged(name: string): Promise<ContainersLock["images"][number]> {
  await createRepository(cicd.ecr, name);
  await mergeOnce(cicd.ecr, name, productionStatements({ account: PRODUCTION, region: "us-east-1" }));
  const { digest } = await pushSample(cicd.repository(name), "1", { layers: [noise(name, 2000)] });
  const image = `quay.io/${name}:1`;
  return { image, source: image, target: `${hostOf(CICD)}/${name}@${digest}`, digest };
}

interface Bundle {
  lock: { images: object[] };
  map: { imageMappings: object[]; registryMappings?: RegistryMapping[] };
  record: { images: object[]; files: { name: string }[] };
}
const FILES = { lock: "containers.lock.json", map: "container-registry-map.json", record: "release.json" };

async function verified(
  workflow: string,
  change: (bundle: Bundle) => void,
  production: {
    readonly map?: readonly { readonly image: string; readonly target: string }[];
    readonly registries?: RegistryMapping[];
  } = {},
): Promise<readonly string[]> {
  using cli = cliAt(accounts);
  const uri = await release(accounts, { lock, workflow, ...production });
  const s3 = new S3Client(accounts.config("production"));
  const at = (name: string) => ({ Bucket: workflow, Key: `${workflow}/1.0.0/${name}` });
  const read = async (name: string) => JSON.parse((await (await s3.send(new GetObjectCommand(at(name)))).Body?.transformToString()) ?? "");
  const bundle: Bundle = { lock: await read(FILES.lock), map: await read(FILES.map), record: await read(FILES.record) };
  change(bundle);
  const sums = new Map([bundle.lock, bundle.map].map((content, index) => [[FILES.lock, FILES.map][index], JSON.stringify(content)]));
  bundle.record.files = bundle.record.files.map(({ name }) => describeContent({ name, body: sums.get(name) ?? "", contentType: "" }));
  for (const part of ["lock", "map", "record"] as const)
    await s3.send(new PutObjectCommand({ ...at(FILES[part]), Body: JSON.stringify(bundle[part]) }));
  const ran = await cli.run("images", "verify", "--bundle", uri, "--profile", "cicd", "--production", "production", "--json");
  const { problems } = ran.json<{ readonly problems: readonly string[] }>();
  expect(ran.code).toBe(problems.length > 0 ? 1 : 0);
  return problems;
}

test("a bundle that is as it was has nothing against it, the user's own mappings included", async () => {
  const own = { image: "quay.io/own/tool:1", target: lock.images[0]!.target };
  expect(await verified("as-it-was", () => undefined)).toEqual([]);
  const mapped = await verified(
    "own-mapping",
    ({ map }) => map.imageMappings.push({ sourceImage: own.image, destinationImage: own.target }),
    { map: [...lock.images, own] },
  );
  expect(mapped).toEqual([]);
});

test("an image that record, lock or all of a bundle keep quiet about is named", async () => {
  const { digest, image } = lock.images[1]!;
  expect(await verified("short-record", ({ record }) => record.images.pop())).toEqual([
    `release.json: ${image} is not in it, the lock says ${digest}`,
  ]);
  expect(await verified("short-lock", (bundle) => bundle.lock.images.pop())).toEqual([
    `release.json: ${image} is ${digest}, the lock says nothing of it`,
  ]);
  const all = await verified("short-bundle", (bundle) =>
    [bundle.lock.images, bundle.record.images, bundle.map.imageMappings].forEach((images) => images.pop()),
  );
  expect(all).toEqual([
    `version 1.0.0 in production: ${image} is mapped to bundle/other@${digest}, by the bundle to nothing; the lock does not know it`,
  ]);
});

test("a record that names no sums proves no file", async () => {
  const problems = await verified("no-sums", ({ record }) => (record.files = []));
  expect(problems).toEqual([FILES.lock, FILES.map].map((name) => `release.json: it does not say which bytes ${name} has`));
});

test("an image that production maps besides, and nobody released, is named", async () => {
  const besides = { image: "quay.io/nobodys/tool:1", target: `${hostOf(CICD)}/nobodys/tool:1` };
  expect(await verified("one-more", () => undefined, { map: [...lock.images, besides] })).toEqual([
    `version 1.0.0 in production: ${besides.image} is mapped to nobodys/tool:1, by the bundle to nothing; the lock does not know it`,
  ]);
});

test("a mapping of a registry that production lacks, has besides, or that leads elsewhere there is named", async () => {
  const quay = { upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" };
  const lab = { upstreamRegistryUrl: "lab.example", ecrRepositoryPrefix: "lab", ecrAccountId: CICD };
  const gone = { upstreamRegistryUrl: "ghcr.io", upstreamRepositoryPrefix: "lab", ecrRepositoryPrefix: "ghcr" };
  const more = { upstreamRegistryUrl: "public.ecr.aws", ecrRepositoryPrefix: "ecr-public" };
  const released = ({ map }: Bundle) => void (map.registryMappings = [quay, lab, gone]);
  expect(await verified("registries", released, { registries: [gone, lab, quay] })).toEqual([]);
  const registries = [{ ...quay, ecrRepositoryPrefix: "mirror" }, { ...lab, ecrAccountId: PRODUCTION }, more];
  expect(await verified("other-registries", released, { registries })).toEqual([
    "version 1.0.0 in production: the registry quay.io is mapped to mirror in the run's own account, by the bundle to quay in the run's own account",
    `version 1.0.0 in production: the registry lab.example is mapped to lab in ${PRODUCTION}, by the bundle to lab in ${CICD}`,
    "version 1.0.0 in production: the registry ghcr.io/lab is mapped to nothing, by the bundle to ghcr in the run's own account",
    "version 1.0.0 in production: the registry public.ecr.aws is mapped to ecr-public in the run's own account, by the bundle to nothing",
  ]);
});

test("verify of a lock without images proves nothing, and says so", async () => {
  using cli = cliAt(accounts);
  const file = `${cli.folder}/containers.lock.json`;
  writeFileSync(file, JSON.stringify({ version: 1, images: [] }));
  expect(await cli.run("images", "verify", file, "--profile", "cicd")).toMatchObject({
    code: 0,
    stdout: "no image is locked: there is nothing to prove\n",
  });
});
