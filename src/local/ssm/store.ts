import type { Collection, Database } from "../storage/database.ts";

export type ParameterKind = "String" | "StringList" | "SecureString";

export interface ParameterVersion {
  readonly version: number;
  readonly value: string;
  readonly type: ParameterKind;
  readonly keyId?: string;
  readonly description?: string;
  readonly allowedPattern?: string;
  readonly tier: "Standard" | "Advanced";
  readonly dataType: string;
  readonly modified: string;
  readonly modifiedBy: string;
  readonly labels: readonly string[];
}

export interface Parameter {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Oldest first; the last one is current. */
  readonly versions: readonly ParameterVersion[];
}

/** Parameters by account, region and name. */
export type ParameterStore = Collection<Parameter>;

export const parameterStore = (database: Database): ParameterStore => database.collection("ssm.parameters");

/** The current version: a parameter has at least one. */
export const current = ({ name, versions }: Parameter): ParameterVersion => {
  const last = versions.at(-1);
  if (!last) throw new Error(`the parameter ${name} has no version`);
  return last;
};
