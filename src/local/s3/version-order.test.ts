import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { openEventsLab } from "../events/testing/events-lab.ts";
import { startAccounts } from "../testing/accounts.ts";

test("versions that are written within one millisecond, or when the clock was set back, stay in their order", async () => {
  const clock: Clock & { at: number } = { at: systemClock.now().getTime(), now: () => new Date(clock.at), sleep: systemClock.sleep };
  await using accounts = await startAccounts({}, clock);
  const s3 = new S3Client({ ...accounts.config(), forcePathStyle: true });
  const [Bucket, Key] = ["at-once", "key"];
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const put = async (Body: string) => (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
  const ids: (string | undefined)[] = [];
  for (let at = 0; at < 12; at++) {
    ids.push(await put(`${at}`));
    if (at % 4 === 3) clock.at -= 5;
  }
  const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  const listed = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  expect(listed.Versions?.map(({ VersionId }) => VersionId)).toEqual(ids.toReversed());
  expect(listed.DeleteMarkers).toMatchObject([{ VersionId: marker.VersionId, IsLatest: true }]);
  await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: marker.VersionId }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  expect(await Body?.transformToString()).toBe("11");
  const [latest, ...others] = (await s3.send(new ListObjectVersionsCommand({ Bucket }))).Versions ?? [];
  expect([latest?.IsLatest, others.some(({ IsLatest }) => IsLatest)]).toEqual([true, false]);
});

test("the sequencers of a key's events grow, that of its deletion too", async () => {
  await using lab = await openEventsLab();
  const s3 = new S3Client(lab.accounts.config());
  const [Bucket, Key] = ["in-sequence", "key"];
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { EventBridgeConfiguration: {} } }));
  const machine = await lab.machine();
  await lab.rule({ EventPattern: '{"source": ["aws.s3"]}' }, await lab.toMachine(machine, { InputPath: "$.detail" }));
  for (const Body of ["1", "22", "333"]) await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: "4444" }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  await vi.waitFor(async () => expect(await lab.inputs(machine)).toHaveLength(6), { timeout: 30_000, interval: 100 });
  const events = (await lab.inputs(machine)) as { readonly reason: string; readonly object: { sequencer: string; size?: number } }[];
  const inOrder = events.toSorted((a, b) => (a.object.sequencer < b.object.sequencer ? -1 : 1));
  expect(inOrder.map(({ object }) => object.size)).toEqual([1, 2, 3, undefined, 4, undefined]);
  expect(inOrder.every(({ object }) => /^[0-9A-F]{18}$/.test(object.sequencer))).toBe(true);
}, 60_000);
