import { describe, expect, test } from "vitest";
import { validateValue } from "../../model/validate.ts";
import type { ReleaseError } from "../errors.ts";
import { parseOmxYaml } from "./omx-yaml.ts";

const yaml = (map: object) => `name: demo\nversion: "1.0"\nregistryMap:\n  ${JSON.stringify(map)}\n`;

function problems(map: object): readonly string[] {
  try {
    parseOmxYaml(yaml(map));
    return [];
  } catch (error) {
    return (error as ReleaseError).details;
  }
}

const QUAY = { upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" };
const ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:nvcr-AbCdEf";
const ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com";

describe("registryMappings", () => {
  test.each([
    ["upstreamRegistryUrl", "", "the upstream registry's host is missing"],
    ["upstreamRegistryUrl", "quay", "quay.io or quay:5000"],
    ["upstreamRegistryUrl", "quay.io/biocontainers", "write quay.io, and the rest as upstreamRepositoryPrefix"],
    ["upstreamRegistryUrl", "Quay.io", "lower case"],
    ["upstreamRegistryUrl", "*.gcr.io", "not a host name"],
    ["upstreamRegistryUrl", "q\u0007.io", "characters"],
    ["upstreamRegistryUrl", `${"q".repeat(750)}.io`, "750"],
    ["upstreamRegistryUrl", 7, "expected string"],
    ["ecrRepositoryPrefix", "", "is missing"],
    ["ecrRepositoryPrefix", "Bad_/", "ECR has no such repositories"],
    ["ecrRepositoryPrefix", "/quay", "ECR has no such repositories"],
    ["ecrRepositoryPrefix", "q".repeat(257), "256"],
    ["ecrRepositoryPrefix", undefined, "expected string"],
    ["upstreamRepositoryPrefix", "x", "2 to 30"],
    ["upstreamRepositoryPrefix", "", "2 to 30"],
    ["upstreamRepositoryPrefix", "x".repeat(31), "2 to 30"],
    ["upstreamRepositoryPrefix", "/x/", "a prefix of the upstream path"],
    ["ecrAccountId", "12", "twelve digits, in quotes"],
    ["ecrAccountId", 111122223333, "twelve digits, in quotes"],
    ["ecrAccountId", "1111222233334", "twelve digits"],
    ["ecrAccountId", "１１１１２２２２３３３３", "twelve digits"],
    ["credentialArn", "", "the ARN of a secret"],
    ["credentialArn", "arn:aws:s3:::bucket-of-credentials", "the ARN of a secret"],
    ["credentialArn", `${ARN} `, "the ARN of a secret"],
    ["credentialArn", `${ARN}${"x".repeat(2000)}`, "2048"],
    [
      "accountId",
      "111122223333",
      "is not known here; allowed: upstreamRegistryUrl, ecrRepositoryPrefix, upstreamRepositoryPrefix, ecrAccountId, credentialArn",
    ],
  ])("%s: %j is refused once, where it stands", (field, value, sentence) => {
    const told = problems({ registryMappings: [{ ...QUAY, [field]: value }] });
    expect(told).toEqual([expect.stringMatching(new RegExp(`^omx\\.yaml:4:\\d+: registryMap\\.registryMappings\\.0\\.${field}: `))]);
    expect(told[0]).toContain(sentence);
  });

  test.each([
    QUAY,
    { ...QUAY, upstreamRegistryUrl: "https://registry-1.docker.io/" },
    { ...QUAY, upstreamRegistryUrl: "localhost:5000" },
    { ...QUAY, ecrRepositoryPrefix: "q" },
    { ...QUAY, ecrRepositoryPrefix: "ROOT" },
    { ...QUAY, ecrRepositoryPrefix: "lab__1/a--b/" },
    { ...QUAY, upstreamRepositoryPrefix: "biocontainers/x" },
    { ...QUAY, ecrAccountId: "444455556666" },
    { ...QUAY, credentialArn: ARN },
    { ...QUAY, credentialArn: ARN.replace("arn:aws:", "arn:aws-us-gov:") },
  ])("takes %j, as HealthOmics's model does", (mapping) => {
    expect(problems({ registryMappings: [mapping] })).toEqual([]);
    expect(validateValue("ContainerRegistryMap", { registryMappings: [mapping] }, "map")).toBeUndefined();
  });

  test("two mappings of one registry are told at the second; parts of it may differ", () => {
    expect(problems({ registryMappings: [QUAY, { ...QUAY, upstreamRegistryUrl: "https://quay.io", ecrRepositoryPrefix: "q2" }] })).toEqual([
      expect.stringMatching(/registryMappings\.1: quay\.io has a mapping already \(the 1\. of the list\)/),
    ]);
    expect(problems({ registryMappings: [QUAY, { ...QUAY, upstreamRepositoryPrefix: "lab" }] })).toEqual([]);
  });
});

describe("imageMappings", () => {
  const TOOL = { sourceImage: "tool:1", destinationImage: `${ECR}/tool:1` };

  test.each([
    ["sourceImage", "", "is missing"],
    ["sourceImage", "Tool:1", "lower case"],
    ["sourceImage", "tool:", "not a tag"],
    ["sourceImage", "t".repeat(751), "750"],
    ["sourceImage", undefined, "expected string"],
    ["destinationImage", "", "is missing"],
    ["destinationImage", "Tool", "lower case"],
    ["destinationImage", "quay.io/a/b:1", "quay.io is not private ECR"],
    ["destinationImage", "public.ecr.aws/a/b:1", "not private ECR"],
    ["destinationImage", `${ECR}.evil.example/tool:1`, "not private ECR"],
    ["destinationImage", `docker://${ECR}/tool:1`, "write it without docker://"],
    ["accountId", "111122223333", "is not known here; allowed: sourceImage, destinationImage"],
  ])("%s: %j is refused once, where it stands", (field, value, sentence) => {
    const told = problems({ imageMappings: [{ ...TOOL, [field]: value }] });
    expect(told).toEqual([expect.stringMatching(new RegExp(`^omx\\.yaml:4:\\d+: registryMap\\.imageMappings\\.0\\.${field}: `))]);
    expect(told[0]).toContain(sentence);
  });

  test.each([
    TOOL,
    { sourceImage: "nvcr.io/nvidia/k8s/dcgm-exporter", destinationImage: "tools/dcgm-exporter" },
    { ...TOOL, destinationImage: `${ECR}/tool@sha256:${"a".repeat(64)}` },
    { ...TOOL, destinationImage: "quay/biocontainers/bwa:1" },
    { ...TOOL, destinationImage: "111122223333.dkr-ecr.us-east-1.on.aws/tool:1" },
  ])("takes %j, as HealthOmics's model does", (mapping) => {
    expect(problems({ imageMappings: [mapping] })).toEqual([]);
    expect(validateValue("ContainerRegistryMap", { imageMappings: [mapping] }, "map")).toBeUndefined();
  });

  test("one image has one mapping", () => {
    expect(problems({ imageMappings: [TOOL, { ...TOOL, destinationImage: `${ECR}/tool:2` }] })).toEqual([
      expect.stringMatching(/^omx\.yaml:4:\d+: registryMap\.imageMappings\.1: tool:1 has a mapping already/),
    ]);
  });
});

test("whatever HealthOmics's model refuses of a map is refused before", () => {
  const texts = [
    "",
    "x",
    "xx",
    "q".repeat(30),
    "q".repeat(31),
    "q".repeat(256),
    "q".repeat(257),
    `${"q.".repeat(374)}io`,
    `${"q.".repeat(375)}io`,
    "12",
    "111122223333",
    "11112222333a",
    ARN,
    `${ARN}\n`,
    "a\u0000b",
    "a\nb",
    "quay.io",
  ];
  const fields = ["upstreamRegistryUrl", "ecrRepositoryPrefix", "upstreamRepositoryPrefix", "ecrAccountId", "credentialArn"];
  for (const field of fields)
    for (const text of texts) {
      const map = { registryMappings: [{ ...QUAY, [field]: text }] };
      if (validateValue("ContainerRegistryMap", map, "map") !== undefined)
        expect(problems(map), `${field}: ${JSON.stringify(text)}`).not.toEqual([]);
    }
  for (const field of ["sourceImage", "destinationImage"])
    for (const text of texts) {
      const map = { imageMappings: [{ sourceImage: "tool:1", destinationImage: "tool:1", [field]: text }] };
      if (validateValue("ContainerRegistryMap", map, "map") !== undefined)
        expect(problems(map), `${field}: ${JSON.stringify(text)}`).not.toEqual([]);
    }
});
