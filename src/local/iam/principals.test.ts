import { CreateRepositoryCommand, ECRClient, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { CICD, PRODUCTION, startAccounts, type TestAccounts } from "../testing/accounts.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: CICD }, Action: "sts:AssumeRole" }],
  });
  await new IAMClient(accounts.config("production")).send(
    new CreateRoleCommand({ RoleName: "there", Path: "/lab/", AssumeRolePolicyDocument: trust }),
  );
  await new S3Client(accounts.config()).send(new CreateBucketCommand({ Bucket: "policed" }));
  await new ECRClient(accounts.config()).send(new CreateRepositoryCommand({ repositoryName: "policed" }));
});
afterAll(() => accounts[Symbol.asyncDispose]());

const policy = (AWS: string | readonly string[], action: string, resource?: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS }, Action: action, ...(resource && { Resource: resource }) }],
  });
const keyPolicy = (AWS: readonly string[]): string => policy([`arn:aws:iam::${CICD}:root`, ...AWS], "kms:*", "*");

let topics = 0;
const PUT: Readonly<Record<string, readonly [put: (principal: string) => Promise<unknown>, name: string, message: RegExp]>> = {
  S3: [
    (principal) =>
      new S3Client(accounts.config()).send(
        new PutBucketPolicyCommand({ Bucket: "policed", Policy: policy(principal, "s3:GetObject", "arn:aws:s3:::policed/*") }),
      ),
    "MalformedPolicy",
    /Invalid principal in policy/,
  ],
  ECR: [
    (principal) =>
      new ECRClient(accounts.config()).send(
        new SetRepositoryPolicyCommand({ repositoryName: "policed", policyText: policy(principal, "ecr:BatchGetImage") }),
      ),
    "InvalidParameterException",
    /Principal not found/,
  ],
  KMS: [
    (principal) => new KMSClient(accounts.config()).send(new CreateKeyCommand({ Policy: keyPolicy([principal]) })),
    "MalformedPolicyDocumentException",
    /one or more invalid principals/,
  ],
  SNS: [
    (principal) =>
      new SNSClient(accounts.config()).send(
        new CreateTopicCommand({ Name: `policed-${++topics}`, Attributes: { Policy: policy(principal, "sns:Publish", "*") } }),
      ),
    "InvalidParameterException",
    /PrincipalNotFound/,
  ],
};

test.each(Object.entries(PUT))(
  "%s takes policies that name who is there, and refuses others by name",
  async (_service, [put, name, message]) => {
    for (const principal of [
      `arn:aws:iam::${PRODUCTION}:role/lab/there`,
      `arn:aws:iam::${CICD}:user/developer`,
      `arn:aws:iam::${PRODUCTION}:root`,
      PRODUCTION,
      "*",
      "arn:aws:iam::999999999999:role/elsewhere",
    ])
      await put(principal);
    for (const principal of [
      `arn:aws:iam::${PRODUCTION}:role/there`,
      `arn:aws:iam::${CICD}:role/nobody`,
      `arn:aws:iam::${CICD}:user/nobody`,
    ]) {
      await expect(put(principal)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
      await expect(put(principal)).rejects.toThrow(principal);
    }
  },
);

test.each([
  ["another bucket", policy("*", "s3:GetObject", "arn:aws:s3:::another/*"), /invalid resource \(arn:aws:s3:::another\/\*\)/],
  [
    "no principal",
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::policed/*" }] }),
    /Principal/,
  ],
  ["no JSON", "allow", /valid JSON/],
])("a bucket policy with %s is malformed", async (_name, Policy, message) => {
  await expect(new S3Client(accounts.config()).send(new PutBucketPolicyCommand({ Bucket: "policed", Policy }))).rejects.toMatchObject({
    name: "MalformedPolicy",
    message: expect.stringMatching(message),
  });
});

// AmazonS3/latest/userguide/add-bucket-policy.html, kms/latest/developerguide/resource-limits.html, IAM/latest/UserGuide/reference_iam-quotas.html
test.each<[string, number, (names: readonly string[]) => Promise<unknown>, string, number]>([
  [
    "S3",
    20_480,
    (names) =>
      new S3Client(accounts.config()).send(
        new PutBucketPolicyCommand({ Bucket: "policed", Policy: policy(names, "s3:GetObject", "arn:aws:s3:::policed/*") }),
      ),
    "PolicyTooLarge",
    400,
  ],
  [
    "KMS",
    32_768,
    (names) => new KMSClient(accounts.config()).send(new CreateKeyCommand({ Policy: keyPolicy(names) })),
    "LimitExceededException",
    400,
  ],
  [
    "IAM",
    2048,
    (names) =>
      new IAMClient(accounts.config()).send(
        new CreateRoleCommand({ RoleName: `trusting-${names.length}`, AssumeRolePolicyDocument: policy(names, "sts:AssumeRole") }),
      ),
    "LimitExceededException",
    409,
  ],
])("%s takes a policy of up to %i characters", async (_service, most, put, name, httpStatusCode) => {
  const role = (index: number): string => `arn:aws:iam::999999999999:role/elsewhere-with-a-long-name-${index}`;
  const count = Math.floor(most / (role(1000).length + 3));
  const names = (number: number): readonly string[] => Array.from({ length: number }, (_, index) => role(1000 + index));
  await put(names(count - 6));
  await expect(put(names(count + 1))).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
});
