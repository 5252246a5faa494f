import type { AccountId } from "../../kit/account-id.ts";
import type { Principal, Tags } from "../authorization/principal.ts";
import type { Collection, Database } from "../storage/database.ts";

/** Who can hold policies. */
export type HolderKind = "user" | "role";

export interface UserDocument {
  readonly account: AccountId;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly created: string;
  readonly tags: Tags;
}

export interface AccessKeyDocument {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly account: AccountId;
  readonly userName: string;
  readonly status: "Active" | "Inactive";
  readonly created: string;
}

export interface RoleDocument {
  readonly account: AccountId;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly created: string;
  readonly description: string | undefined;
  /** The trust policy, as it was put. */
  readonly trust: string;
  readonly maxSessionSeconds: number;
  readonly tags: Tags;
  readonly lastUsed?: { readonly date: string; readonly region: string };
}

export interface PolicyVersionDocument {
  readonly id: string;
  readonly document: string;
  readonly created: string;
}

/** A customer managed policy. */
export interface ManagedPolicyDocument {
  readonly account: AccountId;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly description: string | undefined;
  readonly created: string;
  readonly updated: string;
  readonly tags: Tags;
  readonly defaultVersion: string;
  /** The number the next version takes: numbers are never used twice. */
  readonly nextVersion: number;
  readonly versions: readonly PolicyVersionDocument[];
}

/** Temporary keys. */
export interface SessionDocument {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly principal: Principal;
  readonly expires: string;
}

/** Everything IAM and STS remember. Names are found whatever their case, as on AWS: keys hold them in lower case. */
export interface IamStore {
  readonly users: Collection<UserDocument>;
  readonly accessKeys: Collection<AccessKeyDocument>;
  readonly roles: Collection<RoleDocument>;
  readonly policies: Collection<ManagedPolicyDocument>;
  /** Key: account, kind and name of the holder, name of the policy. */
  readonly inline: Collection<{ readonly name: string; readonly document: string }>;
  /** Key: account, kind and name of the holder, ARN of the policy. */
  readonly attachments: Collection<{ readonly policyArn: string; readonly holder: string }>;
  readonly sessions: Collection<SessionDocument>;
  /** Grows whenever a policy or who holds it may have changed: what was computed from them before is then out of date. */
  policiesVersion(): number;
  transaction<R>(work: () => R): R;
}

const stores = new WeakMap<Database, IamStore>();

/** The store of a database: one for the directory, for IAM and for STS. */
export function iamStore(database: Database): IamStore {
  const before = stores.get(database);
  if (before) return before;
  let version = 0;
  const changed = (): void => void (version += 1);
  const store: IamStore = {
    users: database.collection("iam.users"),
    accessKeys: database.collection<AccessKeyDocument>("iam.accessKeys", { user: (key) => `${key.account}/${key.userName.toLowerCase()}` }),
    roles: database.collection("iam.roles"),
    policies: telling(changed, database.collection("iam.policies")),
    inline: telling(changed, database.collection("iam.inline")),
    attachments: telling(
      changed,
      database.collection<{ policyArn: string; holder: string }>("iam.attachments", { policy: ({ policyArn }) => policyArn }),
    ),
    sessions: database.collection<SessionDocument>("sts.sessions"),
    policiesVersion: () => version,
    transaction(work) {
      try {
        return database.transaction(work);
      } finally {
        // What was read inside a transaction that failed never was.
        changed();
      }
    },
  };
  stores.set(database, store);
  return store;
}

/** A collection that tells of every write. */
const telling = <T>(changed: () => void, collection: Collection<T>): Collection<T> => ({
  ...collection,
  put(key, value) {
    collection.put(key, value);
    changed();
  },
  insert(key, value) {
    const isNew = collection.insert(key, value);
    changed();
    return isNew;
  },
  delete(key) {
    const wasThere = collection.delete(key);
    changed();
    return wasThere;
  },
});

/** The key of a named thing of an account. */
export const named = (account: string, name: string): readonly [string, string] => [account, name.toLowerCase()];

/** The key under which the policies of a holder are. */
export const holding = (account: string, kind: HolderKind, name: string): readonly [string, string, string] => [
  account,
  kind,
  name.toLowerCase(),
];

export const userArn = ({ account, path, name }: UserDocument): string => `arn:aws:iam::${account}:user${path}${name}`;
export const roleArn = ({ account, path, name }: RoleDocument): string => `arn:aws:iam::${account}:role${path}${name}`;
export const policyArn = ({ account, path, name }: ManagedPolicyDocument): string => `arn:aws:iam::${account}:policy${path}${name}`;

/** The role of an ARN, where the whole ARN is right: a role's path is part of it. */
export function roleByArn(store: IamStore, arn: string): RoleDocument | undefined {
  const match = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn);
  const role = match && store.roles.get(named(match[1] ?? "", match[2] ?? ""));
  return role && roleArn(role) === arn ? role : undefined;
}

/** The managed policy of an ARN of a customer. */
export function policyByArn(store: IamStore, arn: string): ManagedPolicyDocument | undefined {
  const match = /^arn:aws:iam::(\d{12}):policy\/(?:.*\/)?([^/]+)$/.exec(arn);
  const policy = match && store.policies.get(named(match[1] ?? "", match[2] ?? ""));
  return policy && policyArn(policy) === arn ? policy : undefined;
}
