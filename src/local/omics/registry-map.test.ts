import { describe, expect, test } from "vitest";
import { formatImageRef } from "../../kit/image-ref.ts";
import type { ContainerRegistryMap } from "../../model/generated/types.ts";
import { mapImage } from "./registry-map.ts";

const place = { account: "111122223333", region: "us-east-1" };
const OWN = "111122223333.dkr.ecr.us-east-1.amazonaws.com";

const mapped = (source: string, map?: ContainerRegistryMap): string => {
  const found = mapImage(source, map, place);
  return "why" in found ? `! ${found.why}` : formatImageRef(found.image);
};

const registry = (upstreamRegistryUrl: string, ecrRepositoryPrefix: string, more = {}): ContainerRegistryMap => ({
  registryMappings: [{ upstreamRegistryUrl, ecrRepositoryPrefix, ...more }],
});

describe("mapImage: registry mappings (the guide's table)", () => {
  test.each([
    ["quay.io/biocontainers/bwa:0.7.17", "quay.io", "quay", `${OWN}/quay/biocontainers/bwa:0.7.17`],
    ["public.ecr.aws/lts/ubuntu:22.04", "public.ecr.aws", "ecr-public", `${OWN}/ecr-public/lts/ubuntu:22.04`],
    ["ubuntu:latest", "registry-1.docker.io", "docker-hub", `${OWN}/docker-hub/library/ubuntu:latest`],
    ["broadinstitute/gatk:4", "registry-1.docker.io", "docker-hub", `${OWN}/docker-hub/broadinstitute/gatk:4`],
    ["docker.io/broadinstitute/gatk:4", "registry-1.docker.io", "docker-hub", `${OWN}/docker-hub/broadinstitute/gatk:4`],
  ])("%s by %s → %s", (source, url, prefix, result) => expect(mapped(source, registry(url, prefix))).toBe(result));

  test("a digest stays", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    expect(mapped(`quay.io/x/y@${digest}`, registry("quay.io", "quay"))).toBe(`${OWN}/quay/x/y@${digest}`);
  });

  test("the host must be equal, not similar", () => {
    expect(mapped("community.wave.seqera.io/library/x:1", registry("wave.seqera.io", "wave"))).toMatch(
      /^! .*no registry mapping covers community\.wave\.seqera\.io/,
    );
  });

  test("another account's ECR, and an upstream prefix that the cache rule covers", () => {
    const map = registry("quay.io", "bio", { ecrAccountId: "444455556666", upstreamRepositoryPrefix: "biocontainers" });
    expect(mapped("quay.io/biocontainers/bwa:1", map)).toBe("444455556666.dkr.ecr.us-east-1.amazonaws.com/bio/bwa:1");
    expect(mapped("quay.io/other/bwa:1", map)).toMatch(/^!/);
  });

  test("private ECR needs no mapping, anything else does", () => {
    expect(mapped(`${OWN}/own:1`)).toBe(`${OWN}/own:1`);
    expect(mapped("quay.io/x/y:1")).toMatch(/^! quay\.io\/x\/y:1 is not in a private ECR registry/);
  });
});

describe("mapImage: image mappings", () => {
  const image = (sourceImage: string, destinationImage: string): ContainerRegistryMap => ({
    ...registry("quay.io", "quay"),
    imageMappings: [{ sourceImage, destinationImage }],
  });

  test("an image mapping wins over a registry mapping", () => {
    expect(mapped("quay.io/x/y:1", image("quay.io/x/y:1", `${OWN}/mine:9`))).toBe(`${OWN}/mine:9`);
  });

  test("a source without a tag stands for every tag", () => {
    expect(mapped("quay.io/x/y:1", image("quay.io/x/y", `${OWN}/mine`))).toBe(`${OWN}/mine:1`);
    expect(mapped("quay.io/x/y:1", image("quay.io/x/y", `${OWN}/mine:fixed`))).toBe(`${OWN}/mine:fixed`);
  });

  test("another tag is another image", () => {
    expect(mapped("quay.io/x/y:2", image("quay.io/x/y:1", `${OWN}/mine:9`))).toBe(`${OWN}/quay/x/y:2`);
  });

  test("a bare path is a repository of the run's own registry", () => {
    expect(mapped("ubuntu", image("ubuntu", "team/ubuntu:24"))).toBe(`${OWN}/team/ubuntu:24`);
  });

  test("a destination outside ECR is refused", () => {
    expect(mapped("ubuntu", image("ubuntu", "quay.io/x/y:1"))).toMatch(/^! the image mapping of ubuntu leads to quay\.io/);
  });
});
