import type { CreateRepositoryCommandInput } from "@aws-sdk/client-ecr";
import type { Place } from "../../project/deploy-config.ts";

/** How new repositories are made: `containers.repositories` of omx.deploy.yaml. Those that are there stay as they are. */
export interface RepositorySettings {
  /** ARNs of KMS keys: each encrypts the repositories of its own account and region. */
  readonly kmsKeys: readonly string[];
  readonly immutableTags: boolean;
  readonly scanOnPush: boolean;
}

export const DEFAULT_REPOSITORIES: RepositorySettings = { kmsKeys: [], immutableTags: false, scanOnPush: true };

/** The account and region of a KMS key's ARN. */
export function placeOfKey(arn: string): Place {
  const [, , , region = "", account = ""] = arn.split(":");
  return { account, region };
}

/** The key for the repositories of an account and region; undefined where ECR encrypts with its own. */
export const keyIn = ({ kmsKeys }: Pick<RepositorySettings, "kmsKeys">, { account, region }: Place): string | undefined =>
  kmsKeys.find((arn) => {
    const place = placeOfKey(arn);
    return place.account === account && place.region === region;
  });

/** The settings as CreateRepository takes them. */
export function creationOf(
  settings: RepositorySettings,
  place: Place,
): Pick<CreateRepositoryCommandInput, "encryptionConfiguration" | "imageTagMutability" | "imageScanningConfiguration"> {
  const kmsKey = keyIn(settings, place);
  return {
    imageScanningConfiguration: { scanOnPush: settings.scanOnPush },
    ...(settings.immutableTags && { imageTagMutability: "IMMUTABLE" }),
    ...(kmsKey && { encryptionConfiguration: { encryptionType: "KMS", kmsKey } }),
  };
}
