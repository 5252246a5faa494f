import type { EncryptionConfiguration } from "@aws-sdk/client-ecr";
import type { Principal } from "../../authorization/principal.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import type { Call, Core } from "../../gateway/service.ts";
import { kmsFailed } from "../errors.ts";
import type { Place, Repository } from "../store.ts";

interface Maker {
  /** Whose repository it becomes. */
  readonly place: Place;
  /** Who makes it, or whom ECR acts as. */
  readonly as: Principal;
  readonly context: Call["context"];
}

/**
 * The encryption of a new repository as it is kept, its key by its ARN. ECR describes the key and asks for grants on it as
 * whoever makes the repository (userguide/encryption-at-rest.html); later it uses the grants, and asks nobody.
 * @throws AwsError KmsException for a key that is not there, is not enabled or may not be used so
 */
export async function encryptionOf(
  { dispatcher }: Pick<Core, "dispatcher">,
  wanted: EncryptionConfiguration | undefined,
  { place, as, context }: Maker,
): Promise<Repository["encryption"]> {
  const encryptionType = wanted?.encryptionType ?? "AES256";
  if (encryptionType === "AES256") return { encryptionType };
  const { account, region } = place;
  const ask = (Action: "DescribeKey" | "CreateGrant") =>
    dispatcher.call<{ KeyId: string }>({
      service: "kms",
      operation: "DescribeKeyUse",
      input: { KeyId: wanted?.kmsKey ?? "alias/aws/ecr", Action },
      as,
      account,
      region,
      context: {
        ...context,
        "kms:ViaService": `ecr.${region}.amazonaws.com`,
        "kms:CallerAccount": account,
        ...(Action === "CreateGrant" && { "kms:GrantIsForAWSResource": "true" }),
      },
    });
  try {
    await ask("DescribeKey");
    return { encryptionType, kmsKey: (await ask("CreateGrant")).KeyId };
  } catch (error) {
    throw error instanceof AwsError ? kmsFailed(error) : error;
  }
}
