import type { DescribeKeyResponse } from "@aws-sdk/client-kms";
import type { DescribeSecretResponse, GetSecretValueResponse } from "@aws-sdk/client-secrets-manager";
import { parseAccountId } from "../../../kit/account-id.ts";
import type { Credentials } from "../../../oci/client/credentials.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import type { Core } from "../../gateway/service.ts";
import { secretInaccessible, secretNotFound, secretUndecryptable, upstreamFailed } from "../errors.ts";
import type { CacheRule } from "../store.ts";

/** Reads the secrets with which pull-through cache rules sign in upstream. */
export interface UpstreamSecrets {
  /** @throws AwsError SecretNotFoundException, UnableToAccessSecretException, UnableToDecryptSecretValueException */
  check(rule: CacheRule): Promise<void>;
  /** The user name and access token in a rule's secret. @throws AwsError as `check`, UpstreamAccessDenied for another form */
  read(rule: CacheRule): Promise<Credentials | undefined>;
}

/** What the policy of ECR's service-linked role lets it read (userguide/using-service-linked-roles.html). */
const SECRET = /^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):(\d{12}):secret:ecr-pullthroughcache\/.+$/;

export function upstreamSecrets({ dispatcher }: Pick<Core, "dispatcher">): UpstreamSecrets {
  const valueOf = async (arn: string, registry: string): Promise<string> => {
    const [, region = "", account = ""] = SECRET.exec(arn) ?? [];
    // The role belongs to the registry's account, and so must the secret.
    if (account !== registry)
      throw secretInaccessible(arn, "its name begins with ecr-pullthroughcache/, and it belongs to the registry's own account");
    const as = { kind: "root" as const, account: parseAccountId(account) };
    const call = <T>(service: string, operation: string, input: object) => dispatcher.call<T>({ service, operation, input, as, region });
    try {
      const { KmsKeyId } = await call<DescribeSecretResponse>("secretsmanager", "DescribeSecret", { SecretId: arn });
      if (KmsKeyId !== undefined && !KmsKeyId.includes("alias/aws/"))
        await checkKey(arn, call<DescribeKeyResponse>("kms", "DescribeKey", { KeyId: KmsKeyId }));
      return (await call<GetSecretValueResponse>("secretsmanager", "GetSecretValue", { SecretId: arn })).SecretString ?? "";
    } catch (error) {
      if (!(error instanceof AwsError) || error.code.startsWith("UnableTo")) throw error;
      throw error.code === "ResourceNotFoundException" ? secretNotFound(arn) : secretInaccessible(arn, error.message);
    }
  };
  return {
    async check({ credentialArn, registryId }) {
      if (credentialArn !== undefined) await valueOf(credentialArn, registryId);
    },
    async read({ credentialArn, registryId, upstreamRegistryUrl }) {
      if (credentialArn === undefined) return undefined;
      const found = credentialsIn(await valueOf(credentialArn, registryId));
      if (!found)
        throw upstreamFailed(
          "UpstreamAccessDenied",
          `the secret ${credentialArn} for ${upstreamRegistryUrl} is not {"username": …, "accessToken": …}`,
        );
      return found;
    },
  };
}

/** @throws AwsError UnableToDecryptSecretValueException for a key that is not there or may not be used */
async function checkKey(arn: string, described: Promise<DescribeKeyResponse>): Promise<void> {
  const state = await described.then(
    ({ KeyMetadata }) => KeyMetadata?.KeyState,
    (error: Error) => error.message,
  );
  if (state !== "Enabled") throw secretUndecryptable(arn, `its KMS key: ${state}`);
}

function credentialsIn(text: string): Credentials | undefined {
  try {
    const { username, accessToken } = JSON.parse(text) as { readonly username?: unknown; readonly accessToken?: unknown };
    return typeof username === "string" && typeof accessToken === "string"
      ? { kind: "password", username, password: accessToken }
      : undefined;
  } catch {
    return undefined;
  }
}
