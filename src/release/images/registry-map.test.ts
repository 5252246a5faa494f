import { expect, test } from "vitest";
import type { ContainersLock } from "./lock/lock.ts";
import { registryMapOf } from "./registry-map.ts";

const REGISTRY = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
const DIGEST = `sha256:${"a".repeat(64)}`;
const locked = (image: string, repository: string) => ({
  image,
  source: image,
  target: `${REGISTRY}/${repository}@${DIGEST}`,
  digest: DIGEST,
});
const lockOf = (...images: readonly ContainersLock["images"][number][]): ContainersLock => ({ version: 1, images });
const quay = { upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" };
const many = (count: number, registry: string, prefix: string) =>
  Array.from({ length: count }, (_, index) => locked(`${registry}tool-${index}:1`, `${prefix}/tool-${index}`));

test("every image is mapped as the definition writes it to its digest, the user's own mappings first", () => {
  const own = { registryMappings: [quay], imageMappings: [{ sourceImage: "a:1", destinationImage: "b:1" }] };
  expect(registryMapOf(lockOf(locked("quay.io/x/bwa:1", "quay/x/bwa"), locked("demo/tool:1", "demo/tool")), own)).toEqual({
    registryMappings: [quay],
    imageMappings: [
      { sourceImage: "a:1", destinationImage: "b:1" },
      { sourceImage: "quay.io/x/bwa:1", destinationImage: `${REGISTRY}/quay/x/bwa@${DIGEST}` },
      { sourceImage: "demo/tool:1", destinationImage: `${REGISTRY}/demo/tool@${DIGEST}` },
    ],
  });
});

test("a registry mapping goes on with all that the user wrote", () => {
  const mapping = {
    ...quay,
    upstreamRepositoryPrefix: "lab",
    ecrAccountId: "444455556666",
    credentialArn: "arn:aws:secretsmanager:us-east-1:444455556666:secret:lab-AbCdEf",
  };
  expect(registryMapOf(lockOf(), { registryMappings: [mapping], imageMappings: [] })).toEqual({ registryMappings: [mapping] });
});

test("an image that the user maps is mapped once, as the user says", () => {
  const own = { registryMappings: [], imageMappings: [{ sourceImage: "demo/tool:1", destinationImage: `${REGISTRY}/other:2` }] };
  expect(registryMapOf(lockOf(locked("demo/tool:1", "demo/tool")), own)).toEqual({ imageMappings: own.imageMappings });
});

test("an image that is written by its address in ECR with its digest needs no mapping; nothing to map is no map", () => {
  const target = `${REGISTRY}/own@${DIGEST}`;
  expect(registryMapOf(lockOf({ image: target, source: target, target, digest: DIGEST }), undefined)).toBeUndefined();
  expect(registryMapOf(lockOf(), undefined)).toBeUndefined();
});

test("a hundred images are mapped; of more, a registry mapping takes those that it leads to their own repository", () => {
  expect(registryMapOf(lockOf(...many(100, "quay.io/", "quay")), undefined)?.imageMappings).toHaveLength(100);
  const images = [...many(101, "quay.io/", "quay"), ...many(3, "", "dockerhub/library")];
  expect(() => registryMapOf(lockOf(...images), undefined)).toThrow(/104 images .* takes 100/);
  const withQuay = registryMapOf(lockOf(...images), { registryMappings: [quay], imageMappings: [] });
  expect(withQuay?.imageMappings?.map(({ sourceImage }) => sourceImage)).toEqual(["tool-0:1", "tool-1:1", "tool-2:1"]);
  const hub = { upstreamRegistryUrl: "https://registry-1.docker.io/", ecrRepositoryPrefix: "dockerhub" };
  expect(
    registryMapOf(lockOf(...many(100, "quay.io/", "quay"), ...many(3, "", "dockerhub/library")), {
      registryMappings: [hub],
      imageMappings: [],
    })?.imageMappings,
  ).toHaveLength(100);
});

test.each([
  ["another prefix", { upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "mirror" }],
  ["a host that the image is not written with", { upstreamRegistryUrl: "io", ecrRepositoryPrefix: "quay" }],
  ["a prefix of the upstream path", { ...quay, upstreamRepositoryPrefix: "lab" }],
])("a registry mapping with %s leads nowhere that is known", (_, mapping) => {
  expect(() => registryMapOf(lockOf(...many(101, "quay.io/", "quay")), { registryMappings: [mapping], imageMappings: [] })).toThrow(
    /101 images/,
  );
});

test("more than twenty registries are refused", () => {
  const registryMappings = Array.from({ length: 21 }, (_, index) => ({
    upstreamRegistryUrl: `r${index}.example`,
    ecrRepositoryPrefix: `r${index}`,
  }));
  expect(() => registryMapOf(lockOf(), { registryMappings, imageMappings: [] })).toThrow(/21 registries .* takes 20/);
});
