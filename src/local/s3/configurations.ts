import { type AnyOperation, operation } from "../gateway/service.ts";
import { checkBucketPolicy } from "./bucket-policy.ts";
import { notConfigured } from "./errors.ts";
import type { S3 } from "./service.ts";
import type { Bucket } from "./store.ts";
import { setVersioning } from "./versions.ts";

type Input = Readonly<Record<string, unknown>> & { readonly Bucket?: string };

/** A configuration of a bucket that is kept as it was put and given back. */
interface Configuration {
  /** `Encryption`: in GetBucketEncryption, and its place in the bucket. */
  readonly name: string;
  /** The member of Put's input that carries it. */
  readonly input: string;
  /** How Get's output carries it: below a member, or spread out. */
  readonly output?: string;
  /** IAM's action without Get and Put. */
  readonly action: string;
  /** What Get answers when it was never put: an error, or the value of a new bucket. */
  readonly absent: readonly [code: string, message: string] | Readonly<Record<string, unknown>>;
}

// S3 encrypts with its own key since January 2023 and blocks public access since April 2023, without being asked.
const NEW_BUCKET_ENCRYPTION = { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false }] };
const ALL_BLOCKED = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };

const CONFIGURATIONS: readonly Configuration[] = [
  {
    name: "Encryption",
    input: "ServerSideEncryptionConfiguration",
    output: "ServerSideEncryptionConfiguration",
    action: "EncryptionConfiguration",
    absent: NEW_BUCKET_ENCRYPTION,
  },
  {
    name: "PublicAccessBlock",
    input: "PublicAccessBlockConfiguration",
    output: "PublicAccessBlockConfiguration",
    action: "BucketPublicAccessBlock",
    absent: ALL_BLOCKED,
  },
  {
    name: "OwnershipControls",
    input: "OwnershipControls",
    output: "OwnershipControls",
    action: "BucketOwnershipControls",
    absent: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
  },
  { name: "NotificationConfiguration", input: "NotificationConfiguration", action: "BucketNotification", absent: {} },
  {
    name: "Lifecycle",
    input: "LifecycleConfiguration",
    action: "LifecycleConfiguration",
    absent: ["NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"],
  },
  { name: "Logging", input: "BucketLoggingStatus", action: "BucketLogging", absent: {} },
  {
    name: "Cors",
    input: "CORSConfiguration",
    action: "BucketCORS",
    absent: ["NoSuchCORSConfiguration", "The CORS configuration does not exist"],
  },
];

/** The operations' names, where they are not Get/Put/Delete + "Bucket" + name. */
const OPERATION_NAMES: Readonly<Record<string, readonly [get: string, put: string, remove?: string]>> = {
  Encryption: ["GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"],
  PublicAccessBlock: ["GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"],
  OwnershipControls: ["GetBucketOwnershipControls", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls"],
  NotificationConfiguration: ["GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration"],
  Lifecycle: ["GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"],
  Logging: ["GetBucketLogging", "PutBucketLogging"],
  Cors: ["GetBucketCors", "PutBucketCors", "DeleteBucketCors"],
};

/** Everything that is set on a bucket. */
export function configurationOperations(s3: S3): Record<string, AnyOperation> {
  const operations: Record<string, AnyOperation> = { ...versioning(s3), ...policy(s3), ...tagging(s3), ...grants(s3) };
  for (const configuration of CONFIGURATIONS) Object.assign(operations, operationsOf(s3, configuration));
  return operations;
}

function operationsOf(s3: S3, { name, input: member, output, action, absent }: Configuration): Record<string, AnyOperation> {
  const [get = "", put = "", remove] = OPERATION_NAMES[name] ?? [];
  const { store, access } = s3;
  const set = (bucket: Bucket, value: unknown) => {
    const { [name]: _before, ...others } = bucket.configurations;
    store.buckets.put([bucket.name], { ...bucket, configurations: value === undefined ? others : { ...others, [name]: value } });
  };
  return {
    [get]: operation<Input, object>({
      access: access.bucket(`Get${action}`),
      run(input) {
        const value = store.bucket(input.Bucket).configurations[name] ?? absent;
        if (Array.isArray(value)) throw notConfigured(value[0] as string, value[1] as string);
        return output ? { [output]: value } : (value as object);
      },
    }),
    [put]: operation<Input, object>({
      access: access.bucket(`Put${action}`),
      run(input) {
        set(store.bucket(input.Bucket), input[member] ?? {});
        return {};
      },
    }),
    ...(remove && {
      [remove]: operation<Input, object>({
        access: access.bucket(`Put${action}`),
        run(input) {
          set(store.bucket(input.Bucket), undefined);
          return {};
        },
      }),
    }),
  };
}

function versioning({ store, access }: S3): Record<string, AnyOperation> {
  return {
    GetBucketVersioning: operation<Input, object>({
      access: access.bucket("GetBucketVersioning"),
      run(input) {
        const { versioning } = store.bucket(input.Bucket);
        return versioning ? { Status: versioning } : {};
      },
    }),
    PutBucketVersioning: operation<Input & { readonly VersioningConfiguration?: { readonly Status?: "Enabled" | "Suspended" } }, object>({
      access: access.bucket("PutBucketVersioning"),
      run(input) {
        const bucket = store.bucket(input.Bucket);
        const status = input.VersioningConfiguration?.Status;
        if (status) setVersioning(store, bucket, status);
        return {};
      },
    }),
  };
}

function policy({ core, store, access }: S3): Record<string, AnyOperation> {
  const change = changeIn(store);
  return {
    GetBucketPolicy: operation<Input, object>({
      access: access.bucket("GetBucketPolicy"),
      run(input) {
        const { policy } = store.bucket(input.Bucket);
        if (policy === undefined) throw notConfigured("NoSuchBucketPolicy", "The bucket policy does not exist");
        return { Policy: policy };
      },
    }),
    PutBucketPolicy: operation<Input & { readonly Policy?: string }, object>({
      access: access.bucket("PutBucketPolicy"),
      run(input) {
        const policy = input.Policy ?? "";
        checkBucketPolicy(core, input.Bucket ?? "", policy);
        return change(input.Bucket, (bucket) => ({ ...bucket, policy }));
      },
    }),
    DeleteBucketPolicy: operation<Input, object>({
      access: access.bucket("DeleteBucketPolicy"),
      run: (input) => change(input.Bucket, ({ policy: _removed, ...bucket }) => bucket),
    }),
  };
}

function tagging({ store, access }: S3): Record<string, AnyOperation> {
  const change = changeIn(store);
  return {
    GetBucketTagging: operation<Input, object>({
      access: access.bucket("GetBucketTagging"),
      run(input) {
        const { tags } = store.bucket(input.Bucket);
        if (!tags) throw notConfigured("NoSuchTagSet", "The TagSet does not exist");
        return { TagSet: tags };
      },
    }),
    PutBucketTagging: operation<Input & { readonly Tagging?: { readonly TagSet?: Bucket["tags"] } }, object>({
      access: access.bucket("PutBucketTagging"),
      run: (input) => change(input.Bucket, (bucket) => ({ ...bucket, tags: input.Tagging?.TagSet ?? [] })),
    }),
    DeleteBucketTagging: operation<Input, object>({
      access: access.bucket("PutBucketTagging"),
      run: (input) => change(input.Bucket, ({ tags: _removed, ...bucket }) => bucket),
    }),
  };
}

function grants({ store, access }: S3): Record<string, AnyOperation> {
  return {
    GetBucketAcl: operation<Input, object>({
      access: access.bucket("GetBucketAcl"),
      run(input) {
        const { account } = store.bucket(input.Bucket);
        const owner = { ID: account, DisplayName: account };
        return {
          Owner: owner,
          Grants: [{ Grantee: { ID: account, DisplayName: account, Type: "CanonicalUser" }, Permission: "FULL_CONTROL" }],
        };
      },
    }),
  };
}

const changeIn = (store: S3["store"]) => (name: string | undefined, changed: (bucket: Bucket) => Bucket) => {
  const bucket = store.bucket(name);
  store.buckets.put([bucket.name], changed(bucket));
  return {};
};
