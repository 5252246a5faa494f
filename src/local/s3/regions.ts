import type { AnyOperation, Call } from "../gateway/service.ts";
import { PermanentRedirect } from "./errors.ts";
import type { Store } from "./store.ts";

/**
 * Refuses requests to a region for a bucket of another one, before IAM is asked: only the bucket's own region knows its policy
 * (user guide, "Making requests: request redirection and the REST API"; error code PermanentRedirect).
 */
export function inBucketsRegion(store: Store, operations: Readonly<Record<string, AnyOperation>>): Readonly<Record<string, AnyOperation>> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, { access, run }]): [string, AnyOperation] => [
      name,
      {
        access(input: { readonly Bucket?: string | undefined }, call) {
          // Whoever creates a bucket is told that the name is taken.
          const bucket = name === "CreateBucket" ? undefined : store.buckets.get([input.Bucket ?? ""]);
          if (bucket && namesRegion(call) && bucket.region !== call.region) throw new PermanentRedirect(bucket.name, bucket.region);
          return access(input, call);
        },
        run,
      },
    ]),
  );
}

/** The region of a request is that of its signature, for the address has none; without one, and in Version 2, it names no region. */
const namesRegion = ({ http }: Call): boolean =>
  http === undefined || http.headers["authorization"] !== undefined || http.rawQuery.includes("X-Amz-Credential=");
