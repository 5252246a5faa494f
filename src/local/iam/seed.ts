import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import type { SignedInIdentity } from "../config-file.ts";
import type { Settings } from "../gateway/service.ts";
import { type Identity, identitiesOf } from "../identities.ts";
import { holding, type IamStore, named } from "./store.ts";
import { newSecret, uniqueId } from "./unique-id.ts";

interface SeedParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes the users of the local accounts where they are missing, each with its access key. Secrets are random and kept;
 * policies are those of this version of omx, also for users that are there already.
 */
export const seedIdentities = (store: IamStore, parts: SeedParts): readonly SignedInIdentity[] =>
  store.transaction(() => identitiesOf(parts.settings).map((identity) => seed(store, identity, parts)));

function seed(store: IamStore, identity: Identity, { clock, random }: SeedParts): SignedInIdentity {
  const { account, userName, accessKeyId } = identity;
  const created = clock.now().toISOString();
  store.users.insert(named(account, userName), { account, name: userName, path: "/", id: uniqueId("AIDA", random), created, tags: {} });
  const fresh = { accessKeyId, secretAccessKey: newSecret(random), account, userName, status: "Active" as const, created };
  store.accessKeys.insert([accessKeyId], fresh);
  for (const { name, document } of identity.policies) store.inline.put([...holding(account, "user", userName), name], { name, document });
  const { secretAccessKey } = store.accessKeys.get([accessKeyId]) ?? fresh;
  return { ...identity, secretAccessKey };
}
