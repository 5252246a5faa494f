import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { expect, test } from "vitest";
import { encryptRepositories, foreignImages, pullThroughImages, readSecrets, readSources, runStatements, stageImages } from "./policies.ts";
import { readDeployConfig } from "./read-config.ts";

const PLACE = { account: "111122223333", region: "us-east-1" };
const json = (statements: readonly PolicyStatement[]) =>
  statements.map(
    (statement) =>
      statement.toStatementJson() as { Sid: string; Action: string | string[]; Resource: string | string[]; Condition?: object },
  );

test.each([
  ["s3://sources", ["arn:aws:s3:::sources/*"], { "s3:prefix": ["*"] }],
  ["s3://sources/", ["arn:aws:s3:::sources/*"], { "s3:prefix": ["*"] }],
  ["s3://sources/images/", ["arn:aws:s3:::sources/images/*"], { "s3:prefix": ["images/*"] }],
  ["s3://sources/images", ["arn:aws:s3:::sources/images", "arn:aws:s3:::sources/images/*"], { "s3:prefix": ["images", "images/*"] }],
])("E41: the builder reads %s and nothing beside it", (uri, objects, prefixes) => {
  const [read, list] = json(readSources([uri]));
  expect([read!.Resource].flat()).toEqual(objects);
  expect(list).toMatchObject({ Resource: "arn:aws:s3:::sources", Condition: { StringLike: prefixes } });
});

test("a run reads the declared data and no bucket or folder whose name begins alike", () => {
  const read = json(
    runStatements(PLACE, { read: ["s3://reads", "s3://genomes/human", "s3://genomes/mouse/"], write: ["s3://out/runs/"] }),
  ).find(({ Sid }) => Sid === "ReadInputs");
  expect(read!.Resource).toEqual([
    "arn:aws:s3:::reads/*",
    "arn:aws:s3:::genomes/human",
    "arn:aws:s3:::genomes/human/*",
    "arn:aws:s3:::genomes/mouse/*",
    "arn:aws:s3:::out/runs/*",
  ]);
});

test("E35: repositories are made with our tag alone, and read elsewhere in declared accounts and regions alone", () => {
  expect(json(stageImages(PLACE)).find(({ Action }) => [Action].flat().includes("ecr:CreateRepository"))).toMatchObject({
    Resource: "arn:aws:ecr:us-east-1:111122223333:repository/*",
    Condition: { StringEquals: { "aws:RequestTag/createdBy": "omx-ecr-helper" } },
  });
  const read = (sourceAccounts: readonly string[], crossRegion: boolean) =>
    json(foreignImages(PLACE, { sourceAccounts, crossRegion })).flatMap(({ Resource }) => Resource);
  expect(read([], false)).toEqual([]);
  expect(read(["777788889999"], false)).toEqual(["arn:aws:ecr:us-east-1:777788889999:repository/*"]);
  expect(read(["777788889999"], true)).toEqual(["arn:aws:ecr:*:777788889999:repository/*", "arn:aws:ecr:*:111122223333:repository/*"]);
});

test("policies are set on repositories with our tag alone, a key is used through ECR alone, and the cache fills declared prefixes alone", () => {
  const tagged = { StringEquals: { "aws:ResourceTag/createdBy": "omx-ecr-helper" } };
  expect(json(stageImages(PLACE)).filter(({ Action }) => [Action].flat().includes("ecr:SetRepositoryPolicy"))).toEqual([
    expect.objectContaining({ Condition: tagged }),
  ]);
  const [key, viaEcr] = ["arn:aws:kms:us-east-1:111122223333:key/k", { "kms:ViaService": "ecr.us-east-1.amazonaws.com" }];
  expect(json(encryptRepositories(PLACE, key))).toEqual([
    expect.objectContaining({ Action: ["kms:DescribeKey", "kms:RetireGrant"], Resource: key, Condition: { StringEquals: viaEcr } }),
    expect.objectContaining({
      Action: "kms:CreateGrant",
      Resource: key,
      Condition: { StringEquals: viaEcr, Bool: { "kms:GrantIsForAWSResource": "true" } },
    }),
  ]);
  expect(json(stageImages(PLACE, key)).map(({ Sid }) => Sid)).toEqual(expect.arrayContaining(["RepositoryKey", "RepositoryGrants"]));
  expect(json(pullThroughImages(PLACE, ["quay"]))).toEqual([
    expect.objectContaining({ Resource: "arn:aws:ecr:us-east-1:111122223333:repository/quay/*" }),
  ]);
});

test("of secrets, the declared ones are read, whether their ARN is whole or not", () => {
  const arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:hub";
  expect(json(readSecrets([arn, arn]))).toEqual([
    expect.objectContaining({ Action: "secretsmanager:GetSecretValue", Resource: `${arn}-??????` }),
  ]);
  // What ends like a whole ARN may still be a name that ends so.
  expect(json(readSecrets([`${arn}-AbCdEf`]))).toEqual([expect.objectContaining({ Resource: [`${arn}-AbCdEf`, `${arn}-AbCdEf-??????`] })]);
  expect(readSecrets([])).toEqual([]);
});

test("E42: what is wrong with omx.deploy.yaml is told with its line; nothing is deployed in its place", () => {
  const folder = mkdtempSync(join(tmpdir(), "omx-config-"));
  const file = join(folder, "omx.deploy.yaml");
  const read = (text: string) => () => {
    writeFileSync(file, text);
    return readDeployConfig(file);
  };
  try {
    expect(read("cicd: {account: ")).toThrow(/omx\.deploy\.yaml:1:\d+: /);
    const rest =
      'cicd: {account: "111122223333", region: us-east-1}\nproduction: [{account: "444455556666", region: us-east-1}]\ncontainers:\n';
    expect(read(`${rest}  sourceAccounts: [12]\n`)).toThrow(/omx\.deploy\.yaml:4:20: containers\.sourceAccounts\.0: /);
    expect(read(`${rest}  sourceAcounts: []\n`)).toThrow(
      /omx\.deploy\.yaml:4:3: containers\.sourceAcounts: is not known here; allowed: sourceAccounts, /,
    );
    expect(read(`${rest}  credentials: {docker.io: hunter2}\n`)).toThrow(/the ARN of a secret is needed/);
    expect(read(`${rest}  credentials: {docker.io: hunter2}\n`)).not.toThrow(/hunter2/);
    expect(read(`${rest}  crossRegion: true\n`)().containers.crossRegion).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
