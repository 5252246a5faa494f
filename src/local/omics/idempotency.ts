import { createHash } from "node:crypto";
import type { Call } from "../gateway/service.ts";
import { conflict } from "./errors.ts";
import type { Store } from "./store.ts";

export interface Repeatable<R> {
  readonly operation: string;
  readonly requestId: string;
  readonly input: unknown;
  readonly call: Pick<Call, "account" | "region">;
  /** Whether what an answer names is still there: made again otherwise. @default the id is remembered for ever */
  isThere?(answer: R): boolean;
}

/**
 * Carries a request out once for each requestId: the same request again gets the same answer, another one under the
 * same id a ConflictException. (The service documents the first half alone.)
 * @throws AwsError ConflictException, and what `work` throws, which is not remembered
 */
export function once<R>(store: Store, repeatable: Repeatable<R>, work: () => R): { readonly response: R; readonly isNew: boolean } {
  const { operation, requestId, input, call, isThere = () => true } = repeatable;
  const key = [call.account, call.region, operation, requestId];
  const digest = createHash("sha256").update(canonical(input)).digest("hex");
  return store.transaction(() => {
    const known = store.remembered.get(key);
    if (known !== undefined && isThere(known.response as R)) {
      if (known.digest !== digest) throw conflict(`The request id '${requestId}' was used for another ${operation} request`);
      return { response: known.response as R, isNew: false };
    }
    const response = work();
    store.remembered.put(key, { digest, response });
    return { response, isNew: true };
  });
}

/** JSON with sorted keys: the same members in another order are the same request. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined && item !== null);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    .join(",")}}`;
}
