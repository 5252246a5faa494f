import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { startAccounts } from "../testing/accounts.ts";
import { orderAfter, sequencerOf } from "./version-order.ts";

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

test("the sequencers of a key's events grow", () => {
  const orders: string[] = [];
  for (const ms of [1_700_000_000_000, 1_700_000_000_000, 1_700_000_000_001, 1_600_000_000_000, 1_800_000_000_000])
    orders.push(orderAfter(orders.at(-1), new Date(ms)));
  const sequencers = orders.map(sequencerOf);
  expect(sequencers.every((one) => /^[0-9A-F]{18}$/.test(one))).toBe(true);
  expect(sequencers).toEqual([...new Set(sequencers)].sort());
});
