import type { Collection, Database } from "../storage/database.ts";

export interface SecretVersion {
  readonly id: string;
  readonly text?: string;
  /** Base64 of bytes. */
  readonly bytes?: string;
  readonly created: string;
  readonly stages: readonly string[];
}

export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly description?: string;
  readonly kmsKeyId?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: readonly SecretVersion[];
  readonly created: string;
  readonly changed: string;
  /** When it goes, for one that was deleted. */
  readonly goesAt?: string;
  readonly deletedAt?: string;
}

/** Secrets by account, region and name. */
export type SecretStore = Collection<Secret>;

export const secretStore = (database: Database): SecretStore => database.collection("secretsmanager.secrets");
