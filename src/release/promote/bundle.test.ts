import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { type BundleContent, bundlePrefix, describeContent, handOver, openBundle, type ReleaseRecord } from "./bundle.ts";

const BUCKET = "omx-bundle-test";
const CONTENTS: readonly BundleContent[] = [
  { name: "definition.zip", body: Buffer.from([80, 75, 5, 6]), contentType: "application/zip" },
  { name: "parameter-template.json", body: "{}\n", contentType: "application/json" },
];

let accounts: TestAccounts;
let s3: S3Client;
beforeAll(async () => {
  accounts = await startAccounts();
  s3 = new S3Client(accounts.config("production"));
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  s3.destroy();
  await accounts[Symbol.asyncDispose]();
});

const record = (version: string): ReleaseRecord => ({
  format: 1,
  workflow: "demo",
  version,
  commit: "c".repeat(40),
  branch: "main",
  pipelineExecutionId: "e",
  startedBy: "someone",
  engine: "WDL",
  main: "main.wdl",
  tags: {},
  promote: "share",
  cicd: { account: "111122223333", region: "us-east-1", workflowId: "1234567", versionArn: "arn" },
  images: [],
  tests: { summary: "1 of 1 tests passed", evidence: "s3://e" },
  approval: { by: "approver", at: "2026-01-01T00:00:00Z", comment: "good" },
  handedOverAt: "2026-01-01T00:00:00Z",
  files: CONTENTS.map(describeContent),
});

test("a bundle that was handed over opens, whole", async () => {
  const released = record("1.0.0");
  expect(await handOver(s3, BUCKET, released, CONTENTS)).toEqual({ uri: `s3://${BUCKET}/demo/1.0.0`, uploaded: 2 });
  const opened = await openBundle(s3, BUCKET, bundlePrefix(released));
  expect(opened.record).toEqual(released);
  expect([...(await opened.file("definition.zip"))]).toEqual([80, 75, 5, 6]);
});

test("the same bundle again moves no file", async () => {
  await handOver(s3, BUCKET, record("1.0.1"), CONTENTS);
  expect(await handOver(s3, BUCKET, record("1.0.1"), CONTENTS)).toMatchObject({ uploaded: 0 });
});

test("every file that is missing or was changed is named", async () => {
  await handOver(s3, BUCKET, record("1.0.2"), CONTENTS);
  await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "demo/1.0.2/definition.zip" }));
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "demo/1.0.2/parameter-template.json", Body: "{ }" }));
  await expect(openBundle(s3, BUCKET, "demo/1.0.2")).rejects.toMatchObject({
    code: "BundleIncomplete",
    details: ["definition.zip is missing", "parameter-template.json has 3 bytes that are not the 3 that were released"],
  });
});

test("a record copied into another folder is not that folder's", async () => {
  await s3.send(
    new PutObjectCommand({ Bucket: BUCKET, Key: "demo/9.9.9/release.json", Body: JSON.stringify({ ...record("1.0.0"), files: [] }) }),
  );
  await expect(openBundle(s3, BUCKET, "demo/9.9.9")).rejects.toThrow("release.json is of demo/1.0.0, not of this folder");
});

test("a record names files of its own folder alone", async () => {
  await s3.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key: "demo/1.0.4/release.json",
      Body: JSON.stringify({ ...record("1.0.4"), files: [{ name: "../1.0.0/definition.zip", sha256: "", bytes: 4 }] }),
    }),
  );
  await expect(openBundle(s3, BUCKET, "demo/1.0.4")).rejects.toMatchObject({
    code: "BundleIncomplete",
    details: [expect.stringContaining("files.0.name")],
  });
});

test("a record that lacks its approval is no release", async () => {
  const { approval: _approval, ...rest } = record("1.0.3");
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "demo/1.0.3/release.json", Body: JSON.stringify(rest) }));
  await expect(openBundle(s3, BUCKET, "demo/1.0.3")).rejects.toMatchObject({
    code: "BundleIncomplete",
    details: [expect.stringContaining("approval")],
  });
});
