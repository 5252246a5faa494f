import { describe, expect, test } from "vitest";
import { formatImageRef, parseImageRef, pinImageRef, referenceOf } from "./image-ref.ts";
import { privateEcrHost, privateEcrImage, privateEcrOf } from "./image-ref-ecr.ts";
import { parseRegistryHost } from "./image-ref-host.ts";
import { InvalidValue } from "./invalid-value.ts";
import { parseAccountId } from "./account-id.ts";

const SHA256 = `sha256:${"0123456789abcdef".repeat(4)}`;
const SHA512 = `sha512:${"0123456789abcdef".repeat(8)}`;

// E1–E13b: what the ECR helper's parser got wrong, and the rest of the grammar.
test.each([
  ["E1: no tag", "ubuntu", "docker.io/library/ubuntu:latest"],
  ["E2: port", "localhost:5000/foo:1", "localhost:5000/foo:1"],
  ["E2: port, no tag", "127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b:latest"],
  ["E3: tag and digest", `quay.io/a/img:1.2@${SHA256}`, `quay.io/a/img:1.2@${SHA256}`],
  ["E4: digest only", `ubuntu@${SHA256}`, `docker.io/library/ubuntu@${SHA256}`],
  ["sha512", `ubuntu@${SHA512}`, `docker.io/library/ubuntu@${SHA512}`],
  ["E5: docker://", "docker://quay.io/biocontainers/bwa:0.7.18", "quay.io/biocontainers/bwa:0.7.18"],
  ["E6: a user of Docker Hub", "biocontainers/fastqc:0.11", "docker.io/biocontainers/fastqc:0.11"],
  ["E7: docker.io", "docker.io/ubuntu:22.04", "docker.io/library/ubuntu:22.04"],
  ["E7: docker.io/library", "docker.io/library/ubuntu:22.04", "docker.io/library/ubuntu:22.04"],
  ["E7: index.docker.io", "index.docker.io/library/ubuntu:22.04", "docker.io/library/ubuntu:22.04"],
  ["E7: registry-1", "registry-1.docker.io/ubuntu:22.04", "docker.io/library/ubuntu:22.04"],
  ["E7: another alias", "registry.docker.io/library/ubuntu:22.04", "docker.io/library/ubuntu:22.04"],
  ["E7: the address of Docker Hub's page", "hub.docker.com/r/broadinstitute/gatk:4", "docker.io/broadinstitute/gatk:4"],
  ["E7: the page of an official image", "hub.docker.com/_/ubuntu:22.04", "docker.io/library/ubuntu:22.04"],
  ["E7: HTTPS's own port", "docker.io:443/library/ubuntu:22.04", "docker.io/library/ubuntu:22.04"],
  ["another registry at HTTPS's own port", "quay.io:443/a/b:1", "quay.io/a/b:1"],
  ["another port is another registry", "quay.io:8443/a/b:1", "quay.io:8443/a/b:1"],
  ["an address keeps its port", "10.0.0.1:443/a/b:1", "10.0.0.1:443/a/b:1"],
  ["this machine keeps its port", "localhost:443/a:1", "localhost:443/a:1"],
  ["E9: ECR Public's dual-stack address", "ecr-public.aws.com/docker/library/python:3", "public.ecr.aws/docker/library/python:3"],
  ["E7: registry.hub", "registry.hub.docker.com/broadinstitute/gatk:4", "docker.io/broadinstitute/gatk:4"],
  ["the helper's short name of Quay", "quay/biocontainers/bwa-mem2:2.2.1--he513fc3_0", "quay.io/biocontainers/bwa-mem2:2.2.1--he513fc3_0"],
  [
    "the helper's short name of ECR Public",
    "ecr-public/aws-genomics/google/deepvariant:1.4.0",
    "public.ecr.aws/aws-genomics/google/deepvariant:1.4.0",
  ],
  ["a user of Docker Hub named quay", "quay/busybox", "docker.io/quay/busybox:latest"],
  ["a name that looks like host:port", "localhost:5000", "docker.io/library/localhost:5000"],
  ["localhost", "localhost/foo", "localhost/foo:latest"],
  ["IPv6", "[::1]:5000/foo:1", "[::1]:5000/foo:1"],
  ["IPv6 at length", "[2001:0db8:0:0:0:0:0:1]/foo:1", "[2001:db8::1]/foo:1"],
  ["IPv6 keeps its port", "[::1]:443/foo:1", "[::1]:443/foo:1"],
  ["the frozen name of registry.k8s.io", "k8s.gcr.io/pause:3.9", "registry.k8s.io/pause:3.9"],
  ["the page at HTTPS's own port", "hub.docker.com:443/r/broadinstitute/gatk:4", "docker.io/broadinstitute/gatk:4"],
  ["long tags", "ghcr.io/miniwdl-ext/miniwdl-aws:v0.9.0-1-g243f36f", "ghcr.io/miniwdl-ext/miniwdl-aws:v0.9.0-1-g243f36f"],
  [
    "64 digits that are a name elsewhere",
    `quay.io/library/${"0123456789abcdef".repeat(4)}:1`,
    `quay.io/library/${"0123456789abcdef".repeat(4)}:1`,
  ],
  [
    "a repository named sha256",
    `quay.io/library/sha256:${"0123456789abcdef".repeat(4)}`,
    `quay.io/library/sha256:${"0123456789abcdef".repeat(4)}`,
  ],
  ["double underscore and dashes", "quay.io/a__b/c--d.e:1", "quay.io/a__b/c--d.e:1"],
])("%s: %s", (_, text, printed) => {
  const ref = parseImageRef(text);
  expect(formatImageRef(ref)).toBe(printed);
  expect(parseImageRef(printed)).toEqual(ref);
});

test("takes words that every object has for names like any other", () => {
  expect(parseImageRef("constructor/a/b")).toEqual({ registry: "docker.io", repository: "constructor/a/b", tag: "latest" });
});

// E13b, and everything else that Docker would refuse: each with a sentence that tells what to do.
test.each([
  ["", "an image looks like"],
  [" ubuntu:20.04", "blank at position 1"],
  ["ubuntu:20.04 ", "blank"],
  ["Ubuntu:20.04", "write ubuntu:20.04"],
  ["quay.io/Bio/bwa:1", "lower case"],
  ["Quay.io/bio/bwa:1", "write quay.io in lower case"],
  ["ubuntu:", "not a tag"],
  ["ubuntu:-x", "not a tag"],
  [`ubuntu:${"x".repeat(129)}`, "up to 128"],
  ["ubuntu@sha256:abc", "a digest is sha256:"],
  [`ubuntu@md5:${"0".repeat(32)}`, "a digest is"],
  [`ubuntu@${SHA256}@${SHA256}`, "more than one @"],
  ["quay.io/a//b", "not a repository name"],
  ["quay.io/a/b/", "not a repository name"],
  ["quay.io/", "missing"],
  [":tag", "missing"],
  [`@${SHA256}`, "missing"],
  ["quay.io/-a", "not a repository name"],
  ["a/b:99999/c", "not a repository name"],
  ["host:99999/c", "ports are 1 to 65535"],
  ["localhost:0/c", "ports are 1 to 65535"],
  ["localhost:007/c", "007 is not a port; write 7"],
  ["quay.io:0443/a/b", "0443 is not a port; write 443"],
  ["host:123456/c", "ports are 1 to 65535"],
  ["host:/c", "not a host name"],
  ["[:::::]/x", "[:::::] is not an IPv6 address"],
  ["[1:2:3:4:5:6:7:8:9]/x", "not an IPv6 address"],
  ["[12345::]/x", "not an IPv6 address"],
  ["[::1/x", "not a host name"],
  ["[FE80::1]/x", "write [fe80::1] in lower case"],
  ["a_b.example/c", "not a host name"],
  ["DOCKER://quay.io/a/b:1", "write docker:// in lower case: docker://quay.io/a/b:1"],
  ["Docker://ubuntu", "write docker:// in lower case"],
  ["HTTPS://quay.io/a/b:1", "Singularity"],
  ["Library://a/b", "Singularity library"],
  ["-bad.example/c", "not a host name"],
  ["https://depot.galaxyproject.org/singularity/bwa:0.7.18", "Singularity"],
  ["oras://community.wave.seqera.io/library/bwa:1", "Singularity"],
  ["${params.registry}/bwa:1", "variable"],
  ["0123456789abcdef".repeat(4), "image's id"],
  [SHA256, "a digest alone"],
  ["constructor://a/b", "only docker://"],
  [`quay.io/${"a".repeat(250)}`, "255"],
])("refuses %j", (text, sentence) => {
  expect(() => parseImageRef(text)).toThrow(InvalidValue);
  expect(() => parseImageRef(text)).toThrow(sentence);
});

describe("a registry's host where it stands alone", () => {
  test.each([
    ["quay.io", "quay.io"],
    ["localhost", "localhost"],
    ["localhost:5000", "localhost:5000"],
    ["registry-1.docker.io", "docker.io"],
    ["quay.io:443", "quay.io"],
    ["[::1]:5000", "[::1]:5000"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ])("%s is %s", (text, registry) => expect(parseRegistryHost(text)).toBe(registry));

  test.each([
    ["", "not a host name"],
    ["quay", "quay.io or quay:5000"],
    ["lab", "lab.example.org or lab:5000"],
    ["https://quay.io/", "write quay.io alone"],
    ["docker://quay.io", "write quay.io alone"],
    ["quay.io/biocontainers", "its host alone; write quay.io"],
    ["Quay.io", "write quay.io in lower case"],
    ["*", "not a host name"],
    ["*.quay.io", "not a host name"],
    ["quay.io:0", "ports are"],
    ["a..b", "not a host name"],
    ["constructor", "constructor.example.org"],
  ])("refuses %j", (text, sentence) => {
    expect(() => parseRegistryHost(text)).toThrow(InvalidValue);
    expect(() => parseRegistryHost(text)).toThrow(sentence);
  });
});

describe("private ECR", () => {
  test.each([
    ["111122223333.dkr.ecr.us-east-1.amazonaws.com", "us-east-1", false, false],
    ["111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", false, false],
    ["111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", true, false],
    ["111122223333.dkr-ecr.eu-central-1.on.aws", "eu-central-1", false, true],
    ["111122223333.dkr-ecr-fips.us-east-2.on.aws", "us-east-2", true, true],
    ["111122223333.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn", "cn-northwest-1", false, true],
    ["111122223333.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", false, false],
    ["111122223333.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", false, false],
    ["111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", false, false],
  ])("E12: %s", (host, region, isFips, isDualStack) => {
    expect(privateEcrOf(parseImageRef(`${host}/foo/bar:1`))).toMatchObject({
      account: "111122223333",
      region,
      isFips,
      isDualStack,
    });
  });

  test.each([
    "111122223333.dkr.ecr.us-east-1.amazonaws.com.evil.example",
    "111122223333.dkr.ecr.us-east-1.amazonaws.com.evil.example:443",
    "111122223333.dkr.ecr.us-east-1.amazonaws.com:8443",
    "evil.111122223333.dkr.ecr.us-east-1.amazonaws.com",
    "11112222333.dkr.ecr.us-east-1.amazonaws.com",
    "111122223333.dkr.ecr.us-east-1.amazonaws.org",
    "111122223333.dkr-ecr.us-east-1.amazonaws.com",
    "public.ecr.aws",
  ])("E11: %s is another registry", (host) => {
    expect(privateEcrOf(parseImageRef(`${host}/foo:1`))).toBeUndefined();
  });

  test("its canonical host follows the region's partition", () => {
    const account = parseAccountId("444455556666");
    expect(privateEcrHost({ account, region: "eu-west-1" })).toBe("444455556666.dkr.ecr.eu-west-1.amazonaws.com");
    expect(privateEcrHost({ account, region: "cn-north-1" })).toBe("444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn");
    const image = privateEcrImage({ account, region: "us-east-1" }, { repository: "quay/a", tag: "1" });
    expect(privateEcrOf(parseImageRef(formatImageRef(image)))).toMatchObject({ account, region: "us-east-1" });
  });
});

test("a pinned image is read by its digest", () => {
  const ref = parseImageRef("ubuntu:20.04");
  expect(referenceOf(ref)).toBe("20.04");
  expect(referenceOf(pinImageRef(ref, SHA256))).toBe(SHA256);
});

/** A fixed sequence of numbers in [0, 1), so that a failure can be repeated. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("whatever is parsed prints to itself, whatever is not is refused by InvalidValue alone", () => {
  const next = sequence(7);
  const pieces = [
    "a",
    "b9",
    "Q",
    ".",
    "/",
    ":",
    "@",
    "-",
    "_",
    "__",
    "sha256:",
    SHA256,
    "5000",
    "localhost",
    "quay.io",
    "docker://",
    "library",
    " ",
    "[",
    "]",
    "é",
    "\n",
    "$",
  ];
  let parsed = 0;
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: 1 + Math.floor(next() * 7) }, () => pieces[Math.floor(next() * pieces.length)]).join("");
    try {
      const ref = parseImageRef(text);
      expect(parseImageRef(formatImageRef(ref))).toEqual(ref);
      parsed += 1;
    } catch (error) {
      expect(error, text).toBeInstanceOf(InvalidValue);
    }
  }
  expect(parsed).toBeGreaterThan(500);
});
