import type { AccountId } from "../../kit/account-id.ts";
import type { Collection, Database } from "../storage/database.ts";

export interface Key {
  readonly account: AccountId;
  readonly region: string;
  readonly id: string;
  readonly created: string;
  readonly description: string;
  readonly manager: "CUSTOMER" | "AWS";
  readonly isEnabled: boolean;
  /** ISO; set while the deletion is pending. */
  readonly deletion?: string;
  readonly rotationDays?: number;
  readonly policy: string;
  readonly tags: Readonly<Record<string, string>>;
  /** 32 bytes in base64. */
  readonly material: string;
  /** Of whoever made the key and may ask again after a kill. */
  readonly clientToken?: string;
}

export interface Alias {
  /** `alias/…` */
  readonly name: string;
  readonly keyId: string;
  readonly created: string;
  readonly updated: string;
}

/** Everything KMS remembers. */
export interface KeyStore {
  /** Key: account, region, id. */
  readonly keys: Collection<Key>;
  /** Key: account, region, name. */
  readonly aliases: Collection<Alias>;
}

export const keyStore = (database: Database): KeyStore => ({
  keys: database.collection("kms.keys"),
  aliases: database.collection("kms.aliases"),
});

export const keyArn = ({ account, region, id }: Pick<Key, "account" | "region" | "id">): string =>
  `arn:aws:kms:${region}:${account}:key/${id}`;
export const aliasArn = ({ account, region }: { readonly account: string; readonly region: string }, name: string): string =>
  `arn:aws:kms:${region}:${account}:${name}`;
