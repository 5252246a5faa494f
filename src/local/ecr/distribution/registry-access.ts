import { AwsError } from "../../gateway/aws-error.ts";
import { globalContext } from "../../gateway/dispatcher.ts";
import { accessTo } from "../access.ts";
import { isDigest } from "../layers/digests.ts";
import { createOnPush } from "../repositories/ecr-created.ts";
import { RegistryRefusal } from "./refusals.ts";
import type { Exchange } from "./registry-path.ts";
import { keyOf } from "../store.ts";

type Asking = Pick<Exchange, "contents" | "caller" | "place">;

/** @throws RegistryRefusal DENIED with IAM's reason, NAME_UNKNOWN for a repository that is not there */
export function authorize(exchange: Asking, ...actions: readonly string[]): void {
  authorizeAlone(exchange, ...actions);
  requireRepository(exchange);
}

/** As `authorize`, for a push: it makes the repository where a template says so. */
export async function authorizePush(exchange: Asking, ...actions: readonly string[]): Promise<void> {
  const {
    contents: { core, store },
    caller,
    place,
  } = exchange;
  authorizeAlone(exchange, ...actions);
  await createOnPush(core, store, { place, by: { caller, context: globalContext(core.clock, place.region) } });
  requireRepository(exchange);
}

/** What may be asked of a repository that is not there yet. @throws RegistryRefusal DENIED with IAM's reason */
export function authorizeAlone({ contents: { core, store }, caller, place }: Asking, ...actions: readonly string[]): void {
  for (const action of actions) {
    try {
      core.directory.authorize(caller, accessTo(store, action, place), {
        region: place.region,
        context: globalContext(core.clock, place.region),
      });
    } catch (error) {
      throw error instanceof AwsError ? new RegistryRefusal(403, "DENIED", error.message) : error;
    }
  }
}

/** @throws RegistryRefusal NAME_UNKNOWN */
export function requireRepository({ contents: { store }, place }: Pick<Exchange, "contents" | "place">): void {
  if (!store.repositories.get(keyOf(place)))
    throw new RegistryRefusal(
      404,
      "NAME_UNKNOWN",
      `The repository with name '${place.name}' does not exist in the registry with id '${place.account}'`,
    );
}

/** @throws RegistryRefusal DIGEST_INVALID */
export function checkDigest(digest: string): void {
  if (!isDigest(digest)) throw new RegistryRefusal(400, "DIGEST_INVALID", `${digest} is not a digest`);
}
