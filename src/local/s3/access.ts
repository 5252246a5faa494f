import type { Access, Call } from "../gateway/service.ts";
import type { Store } from "./store.ts";

/** What IAM must allow for requests on buckets and objects. A bucket that is not there is for `run` to report. */
export function accessRules(store: Store) {
  const on = (action: string, bucketName: string | undefined, key?: string, context: Access["context"] = {}): readonly Access[] => {
    const bucket = store.buckets.get([bucketName ?? ""]);
    if (!bucket) return [];
    const resource = `arn:aws:s3:::${bucket.name}${key === undefined ? "" : `/${key}`}`;
    return [
      {
        action: `s3:${action}`,
        resource,
        context: { "s3:ResourceAccount": bucket.account, "aws:ResourceAccount": bucket.account, ...context },
        resourcePolicy: { document: bucket.policy, name: `the bucket policy of ${bucket.name}`, account: bucket.account },
      },
    ];
  };
  return {
    bucket: (action: string) => (input: { readonly Bucket?: string | undefined }) => on(action, input.Bucket),
    object: (action: string) => (input: { readonly Bucket?: string | undefined; readonly Key?: string | undefined }) =>
      on(action, input.Bucket, input.Key ?? ""),
    /** For objects whose version can be named: another action then. */
    version:
      (action: string, versionAction: string) =>
      (input: { readonly Bucket?: string | undefined; readonly Key?: string | undefined; readonly VersionId?: string | undefined }) =>
        on(input.VersionId === undefined ? action : versionAction, input.Bucket, input.Key ?? ""),
    list:
      (action: string) =>
      (input: { readonly Bucket?: string | undefined; readonly Prefix?: string | undefined; readonly Delimiter?: string | undefined }) =>
        on(action, input.Bucket, undefined, {
          "s3:prefix": input.Prefix ?? "",
          ...(input.Delimiter && { "s3:delimiter": input.Delimiter }),
        }),
    write: (input: WriteInput, _call: Call) => on("PutObject", input.Bucket, input.Key ?? "", encryptionContext(input)),
    on,
  };
}

export type AccessRules = ReturnType<typeof accessRules>;

interface WriteInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly ACL?: string | undefined;
}

const encryptionContext = ({ ServerSideEncryption, SSEKMSKeyId, ACL }: WriteInput): Record<string, string> => ({
  ...(ServerSideEncryption && { "s3:x-amz-server-side-encryption": ServerSideEncryption }),
  ...(SSEKMSKeyId && { "s3:x-amz-server-side-encryption-aws-kms-key-id": SSEKMSKeyId }),
  ...(ACL && { "s3:x-amz-acl": ACL }),
});
