import { expect, test } from "vitest";
import { parseImageRef } from "./image-ref.ts";
import { detectCollisions, formatTarget, targetRepository } from "./registry-namespaces.ts";
import { extendNamespaces } from "./registry-namespaces-entries.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const targetOf = (text: string) => formatTarget(targetRepository(parseImageRef(text)));

test.each([
  ["ubuntu:20.04", "dockerhub/library/ubuntu:20.04"],
  ["docker.io/library/ubuntu:20.04", "dockerhub/library/ubuntu:20.04"],
  ["biocontainers/fastqc:0.11", "dockerhub/biocontainers/fastqc:0.11"],
  ["quay.io/biocontainers/bwa:0.7.18", "quay/biocontainers/bwa:0.7.18"],
  ["public.ecr.aws/docker/library/python:3.9.16-bullseye", "ecr-public/docker/library/python:3.9.16-bullseye"],
  ["gcr.io/a/b:1", "gcr/a/b:1"],
  ["us.gcr.io/broad-gatk/gatk:4.4.0.0", "gcr/broad-gatk/gatk:4.4.0.0"],
  ["us-docker.pkg.dev/p/r/i:1", "gar/p/r/i:1"],
  ["europe-west4-docker.pkg.dev/p/r/i:1", "gar/p/r/i:1"],
  ["ghcr.io/a/b:1", "ghcr/a/b:1"],
  ["mcr.microsoft.com/a:1", "mcr/a:1"],
  ["nvcr.io/nvidia/clara/x:4.0.0-1", "nvcr/nvidia/clara/x:4.0.0-1"],
  ["registry.k8s.io/pause:3", "k8s/pause:3"],
  ["registry.gitlab.com/a/b/c:1", "gitlab/a/b/c:1"],
  ["community.wave.seqera.io/library/samtools:1.20--b5dfbd93de237464", "seqera/library/samtools:1.20--b5dfbd93de237464"],
  ["wave.seqera.io/wt/0123456789ab/library/bwa:1", "wave/wt/0123456789ab/library/bwa:1"],
  ["cgr.dev/chainguard/python:latest", "chainguard/chainguard/python:latest"],
  ["mine.azurecr.io/a:1", "acr/mine/a:1"],
  ["111122223333.dkr.ecr.us-east-1.amazonaws.com/foo:1", "ecr/111122223333/us-east-1/foo:1"],
  ["registry.example.org:5000/a/b:1", "registry.example.org_5000/a/b:1"],
  ["[::1]:5000/foo:1", "ipv6_0-0-0-0-0-0-0-1_5000/foo:1"],
  ["[2001:db8::]/foo:1", "ipv6_2001-db8-0-0-0-0-0-0/foo:1"],
  ["xn--bcher-kva.example/a__b/c--d:1", "xn--bcher-kva.example/a__b/c--d:1"],
  [`ubuntu@${DIGEST}`, `dockerhub/library/ubuntu@${DIGEST}`],
])("E8, E9: %s is stored as %s", (source, target) => expect(targetOf(source)).toBe(target));

test("E7: every spelling of one image has one target", () => {
  const spellings = [
    "ubuntu:22.04",
    "library/ubuntu:22.04",
    "docker.io/ubuntu:22.04",
    "index.docker.io/library/ubuntu:22.04",
    "docker://ubuntu:22.04",
  ];
  expect(new Set(spellings.map(targetOf)).size).toBe(1);
});

test("E10: regional hosts with different images under one name are a collision, with advice", () => {
  const sources = ["us.gcr.io/p/tool:1", "eu.gcr.io/p/tool:1", "gcr.io/p/other:1"].map(parseImageRef);
  const [collision, ...others] = detectCollisions(sources);
  expect(others).toEqual([]);
  expect(collision?.target).toBe("gcr/p/tool:1");
  expect(collision?.message).toContain('{"eu.gcr.io": "eu-gcr-io"}');
  expect(detectCollisions(sources, { namespaces: extendNamespaces({ "eu.gcr.io": "eu-gcr-io" }) })).toEqual([]);
});

test("E13: images of different accounts and regions are separate", () => {
  const sources = [
    "111122223333.dkr.ecr.us-east-1.amazonaws.com/foo:1",
    "444455556666.dkr.ecr.us-east-1.amazonaws.com/foo:1",
    "444455556666.dkr.ecr.eu-west-1.amazonaws.com/foo:1",
  ].map(parseImageRef);
  expect(detectCollisions(sources)).toEqual([]);
  const home = { account: "111122223333", region: "us-east-1" };
  expect(sources.map((source) => targetRepository(source, { home }).repository)).toEqual([
    "foo",
    "ecr/444455556666/us-east-1/foo",
    "ecr/444455556666/eu-west-1/foo",
  ]);
});

test("one image twice, and one digest from two places, are no collision", () => {
  expect(detectCollisions(["ubuntu:20.04", "docker.io/ubuntu:20.04"].map(parseImageRef))).toEqual([]);
  expect(detectCollisions([`us.gcr.io/a/b@${DIGEST}`, `eu.gcr.io/a/b@${DIGEST}`].map(parseImageRef))).toEqual([]);
  expect(detectCollisions(["a/b:1", `a/b:1@${DIGEST}`].map(parseImageRef))[0]?.message).toContain("use one of them");
});

test("names that ECR would refuse are refused before anything moves", () => {
  // Three characters longer than the name it is written with.
  expect(() => targetOf(`cgr.dev/${"a".repeat(247)}`)).toThrow("images.substitute");
  expect(() =>
    targetRepository(parseImageRef("111122223333.dkr.ecr.us-east-1.amazonaws.com/a"), {
      home: { account: "111122223333", region: "us-east-1" },
    }),
  ).toThrow("2 to 256");
  expect(() => targetOf(`quay.io/${"a".repeat(246)}`)).not.toThrow();
  expect(() => extendNamespaces({ "x.example": "Bad_/" })).toThrow("images of x.example");
});

test("one registry at its several addresses is one image", () => {
  const hosts = ["dkr.ecr.us-east-1.amazonaws.com", "dkr.ecr-fips.us-east-1.amazonaws.com", "dkr-ecr.us-east-1.on.aws"];
  const sources = hosts.map((host) => parseImageRef(`444455556666.${host}/foo:1`));
  expect(new Set(sources.map((source) => formatTarget(targetRepository(source))))).toEqual(new Set(["ecr/444455556666/us-east-1/foo:1"]));
  expect(detectCollisions(sources)).toEqual([]);
});

test("a registry's namespace is its own at all of its addresses", () => {
  const namespaces = extendNamespaces({ "444455556666.dkr.ecr.us-east-1.amazonaws.com": "partner" });
  const hosts = ["dkr.ecr.us-east-1.amazonaws.com", "dkr.ecr-fips.us-east-1.amazonaws.com", "dkr-ecr.us-east-1.on.aws"];
  for (const host of hosts)
    expect(formatTarget(targetRepository(parseImageRef(`444455556666.${host}/foo:1`), { namespaces }))).toBe("partner/foo:1");
});

test("what to do about a collision never tells to move the home registry", () => {
  const home = { account: "111122223333", region: "us-east-1" };
  const sources = ["111122223333.dkr.ecr.us-east-1.amazonaws.com/quay/a/b:1", "quay.io/a/b:1"].map(parseImageRef);
  for (const order of [sources, sources.toReversed()])
    expect(detectCollisions(order, { home })[0]?.message).toContain('give quay.io a namespace of its own, as in {"quay.io": "quay-io"}');
});

test("an image of the home registry under the name of a pulled one is a collision", () => {
  const home = { account: "111122223333", region: "us-east-1" };
  const sources = ["quay.io/a/b:1", "111122223333.dkr.ecr.us-east-1.amazonaws.com/quay/a/b:1"].map(parseImageRef);
  expect(detectCollisions(sources, { home })).toHaveLength(1);
});
