import type { Place } from "../../release/project/deploy-config.ts";
import { DEFAULT_REPOSITORIES, placeOfKey, type RepositorySettings } from "../../release/images/repositories/repository-settings.ts";
import { UsageError } from "../cli.ts";

/** What a command was told of repositories that are not there yet. */
export interface RepositoryFlags {
  readonly kmsKey?: string;
  readonly immutableTags?: boolean;
}

/** How they are made. @throws UsageError for what is no key, or one that is not where the repositories are */
export function repositorySettings({ kmsKey, immutableTags = false }: RepositoryFlags, { account, region }: Place): RepositorySettings {
  if (kmsKey === undefined) return { ...DEFAULT_REPOSITORIES, immutableTags };
  const key = placeOfKey(kmsKey);
  if (!/^arn:[\w-]+:kms:.+:key\/[\w-]+$/.test(kmsKey))
    throw new UsageError(`--kms-key takes the ARN of a key, arn:aws:kms:${region}:${account}:key/ID, and ${kmsKey} is none`);
  if (key.account !== account || key.region !== region)
    throw new UsageError(
      `--kms-key names a key of account ${key.account} in ${key.region}; repositories of account ${account} in ${region} need one of their own`,
    );
  return { ...DEFAULT_REPOSITORIES, kmsKeys: [kmsKey], immutableTags };
}
