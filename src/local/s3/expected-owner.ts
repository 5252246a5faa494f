import { accessDenied } from "../gateway/aws-error.ts";
import type { AnyOperation } from "../gateway/service.ts";
import type { Store } from "./store.ts";

interface OwnedInput {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/**
 * Refuses requests that expect the bucket of another account, once IAM has allowed them
 * (user guide, "Verifying bucket ownership with bucket owner condition").
 */
export function checkOwner(store: Store, operations: Readonly<Record<string, AnyOperation>>): Readonly<Record<string, AnyOperation>> {
  const check = ({ Bucket, ExpectedBucketOwner }: OwnedInput): void => {
    const bucket = ExpectedBucketOwner === undefined ? undefined : store.buckets.get([Bucket ?? ""]);
    if (bucket !== undefined && bucket.account !== ExpectedBucketOwner)
      throw accessDenied("AccessDenied", `the bucket ${bucket.name} does not belong to account ${ExpectedBucketOwner}`);
  };
  return Object.fromEntries(
    Object.entries(operations).map(([name, { access, run }]): [string, AnyOperation] => [
      name,
      {
        access,
        run(input: OwnedInput, call) {
          check(input);
          return run(input, call);
        },
      },
    ]),
  );
}
