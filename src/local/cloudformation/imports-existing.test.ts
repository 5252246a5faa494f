import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackDeleteComplete,
} from "@aws-sdk/client-cloudformation";
import { HeadBucketCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html

let accounts: TestAccounts;
let client: CloudFormationClient;
let s3: S3Client;
beforeAll(async () => {
  accounts = await startAccounts();
  client = new CloudFormationClient(accounts.config());
  s3 = new S3Client(accounts.config());
});
afterAll(() => accounts[Symbol.asyncDispose]());

const waiting = () => ({ client, maxWaitTime: 100, minDelay: 0.05, maxDelay: 0.1 });
const kept = (BucketName: string, DeletionPolicy: string) => ({
  Kept: { Type: "AWS::S3::Bucket", DeletionPolicy, UpdateReplacePolicy: "Retain", Properties: { BucketName } },
});
const BAD = { Bad: { Type: "AWS::S3::Bucket", DependsOn: "Kept", Properties: { BucketName: "No Name" } } };

/** Deploys as `cdk deploy` does. */
async function deploy(StackName: string, resources: object, ImportExistingResources = false): Promise<string> {
  const set = { StackName, ChangeSetName: "deploy" };
  await client.send(
    new CreateChangeSetCommand({
      ...set,
      ChangeSetType: "CREATE",
      ImportExistingResources,
      TemplateBody: JSON.stringify({ Resources: resources }),
    }),
  );
  await waitUntilChangeSetCreateComplete(waiting(), set);
  await client.send(new ExecuteChangeSetCommand(set));
  const status = async () => (await client.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!.StackStatus!;
  await expect.poll(status, { timeout: 100_000, interval: 50 }).toMatch(/^(CREATE|ROLLBACK)_(COMPLETE|FAILED)$/);
  return status();
}
async function destroy(StackName: string): Promise<void> {
  await client.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete(waiting(), { StackName });
}

test.each(["Retain", "RetainExceptOnCreate"])(
  "what %s kept of a stack is in its way, and taken over where that is asked",
  async (policy) => {
    const [name, Bucket] = [`again-${policy}`, `kept-${policy.toLowerCase()}`];
    expect(await deploy(name, kept(Bucket, policy))).toBe("CREATE_COMPLETE");
    await s3.send(new PutObjectCommand({ Bucket, Key: "evidence", Body: "of a release" }));
    await destroy(name);
    expect(await deploy(name, kept(Bucket, policy))).toBe("ROLLBACK_COMPLETE");
    await destroy(name);
    // A failure beside it costs nothing of what was there.
    expect(await deploy(name, { ...kept(Bucket, policy), ...BAD }, true)).toBe("ROLLBACK_COMPLETE");
    await destroy(name);
    expect(await deploy(name, kept(Bucket, policy), true)).toBe("CREATE_COMPLETE");
    await s3.send(new HeadObjectCommand({ Bucket, Key: "evidence" }));
  },
);

test("a first deployment that fails leaves nothing of RetainExceptOnCreate in the way of the next", async () => {
  expect(await deploy("first", { ...kept("first-bucket", "RetainExceptOnCreate"), ...BAD })).toBe("ROLLBACK_COMPLETE");
  await expect(s3.send(new HeadBucketCommand({ Bucket: "first-bucket" }))).rejects.toMatchObject({ name: "NotFound" });
});
