import type {
  CreateBucketOutput,
  CreateBucketRequest,
  DeleteBucketRequest,
  GetBucketLocationOutput,
  GetBucketLocationRequest,
  HeadBucketOutput,
  HeadBucketRequest,
  ListBucketsOutput,
  ListBucketsRequest,
} from "@aws-sdk/client-s3";
import { operation } from "../gateway/service.ts";
import { bucketExists, bucketNotEmpty, bucketOwnedByYou, invalidBucketName } from "./errors.ts";
import type { S3 } from "./service.ts";

/** Buckets themselves: create, find, list, delete. */
export function bucketOperations(s3: S3) {
  return { ...makingOperations(s3), ...findingOperations(s3) };
}

function makingOperations({ store, access, core }: S3) {
  return {
    CreateBucket: operation<CreateBucketRequest, CreateBucketOutput>({
      access: (input) => [{ action: "s3:CreateBucket", resource: `arn:aws:s3:::${input.Bucket}` }],
      run(input, call) {
        const name = input.Bucket ?? "";
        checkName(name);
        const existing = store.buckets.get([name]);
        if (existing) throw existing.account === call.account ? bucketOwnedByYou(name) : bucketExists(name);
        const region = input.CreateBucketConfiguration?.LocationConstraint ?? call.region;
        store.buckets.put([name], { name, account: call.account, region, createdAt: core.clock.now().toISOString(), configurations: {} });
        return { Location: `/${name}` };
      },
    }),
    DeleteBucket: operation<DeleteBucketRequest, object>({
      access: access.bucket("DeleteBucket"),
      run(input) {
        const { name } = store.bucket(input.Bucket);
        const isEmpty = store.objects.list([name], { limit: 1 }).length === 0 && store.versions.list([name], { limit: 1 }).length === 0;
        if (!isEmpty) throw bucketNotEmpty(name);
        store.transaction(() => {
          for (const { key } of store.uploads.list([name])) store.uploads.delete(key);
          for (const { key } of store.parts.list([name])) store.parts.delete(key);
          store.buckets.delete([name]);
        });
        return {};
      },
    }),
  };
}

function findingOperations({ store, access }: S3) {
  return {
    HeadBucket: operation<HeadBucketRequest, HeadBucketOutput>({
      access: access.bucket("ListBucket"),
      run: (input) => ({ BucketRegion: store.bucket(input.Bucket).region }),
    }),
    ListBuckets: operation<ListBucketsRequest, ListBucketsOutput>({
      access: () => [{ action: "s3:ListAllMyBuckets", resource: "*" }],
      run: (input, call) => ({
        Owner: { ID: call.account, DisplayName: call.account },
        Buckets: store.buckets
          .find("account", call.account)
          .filter(({ value }) => value.name.startsWith(input.Prefix ?? "") && (!input.BucketRegion || input.BucketRegion === value.region))
          .map(({ value }) => ({ Name: value.name, CreationDate: new Date(value.createdAt), BucketRegion: value.region })),
      }),
    }),
    GetBucketLocation: operation<GetBucketLocationRequest, GetBucketLocationOutput>({
      access: access.bucket("GetBucketLocation"),
      run(input) {
        const { region } = store.bucket(input.Bucket);
        // us-east-1 is written as nothing (API_GetBucketLocation).
        return region === "us-east-1" ? {} : { LocationConstraint: region as NonNullable<GetBucketLocationOutput["LocationConstraint"]> };
      },
    }),
  };
}

/** @throws AwsError InvalidBucketName; rules: AmazonS3/latest/userguide/bucketnamingrules.html */
function checkName(name: string): void {
  const fits = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !/\.\.|^xn--|-s3alias$|--ol-s3$|^\d+\.\d+\.\d+\.\d+$/.test(name);
  if (!fits) throw invalidBucketName(name);
}
