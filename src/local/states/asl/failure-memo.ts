import { type Failure, StateFailed } from "./errors.ts";
import type { Json } from "./json.ts";

/** The failure as a journal keeps it. */
export const toMemo = (failure: Failure): Json =>
  Object.fromEntries(Object.entries(failure).filter((member): member is [string, string | boolean] => member[1] !== undefined));

/** The failure that a journal kept. */
export const fromMemo = (memo: Json | undefined): StateFailed =>
  new StateFailed({ error: undefined, cause: undefined, ...(memo as object) });
