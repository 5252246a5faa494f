import { AwsError } from "../gateway/aws-error.ts";
import { globalContext } from "../gateway/dispatcher.ts";
import { accessTo } from "./access.ts";
import { RegistryRefusal } from "./refusals.ts";
import type { Exchange } from "./registry-path.ts";
import { keyOf } from "./store.ts";

/** @throws RegistryRefusal DENIED with IAM's reason */
export function authorize({ contents, caller, place }: Pick<Exchange, "contents" | "caller" | "place">, ...actions: readonly string[]): void {
  const { core, store } = contents;
  for (const action of actions) {
    try {
      core.directory.authorize(caller, accessTo(store, action, place), { region: place.region, context: globalContext(core.clock, place.region) });
    } catch (error) {
      throw error instanceof AwsError ? new RegistryRefusal(403, "DENIED", error.message) : error;
    }
  }
  if (!store.repositories.get(keyOf(place))) throw new RegistryRefusal(404, "NAME_UNKNOWN", `The repository with name '${place.name}' does not exist in the registry with id '${place.account}'`);
}

/** @throws RegistryRefusal DIGEST_INVALID */
export function checkDigest(digest: string): void {
  if (!/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(digest)) throw new RegistryRefusal(400, "DIGEST_INVALID", `${digest} is not a digest`);
}

