import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, type CreateKeyCommandInput, type KeyMetadata, KMSClient } from "@aws-sdk/client-kms";
import { CICD, type ClientConfig, startAccounts, type TestAccounts } from "../../testing/accounts.ts";

/** A user of the cicd account, with keys of its own. */
interface User {
  readonly UserName: string;
  readonly arn: string;
  readonly config: ClientConfig;
  readonly kms: KMSClient;
  readonly iam: IAMClient;
}

/** Local accounts with KMS, asked as the cicd account's administrator. */
export interface KmsLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  /** Reaches the accounts after a restart too. */
  readonly kms: KMSClient;
  restart(): Promise<void>;
  newKey(part?: CreateKeyCommandInput): Promise<KeyMetadata>;
  /** A user who may do what these statements allow, and nothing else. */
  newUser(...statements: object[]): Promise<User>;
}

export async function openKmsLab(): Promise<KmsLab> {
  const accounts = await startAccounts();
  let kms = new KMSClient(accounts.config("cicd"));
  return {
    accounts,
    get kms() {
      return kms;
    },
    async restart() {
      await accounts.restart();
      kms = new KMSClient(accounts.config("cicd"));
    },
    newKey: async (part = {}) => (await kms.send(new CreateKeyCommand(part))).KeyMetadata!,
    async newUser(...statements) {
      const iam = new IAMClient(accounts.config("cicd"));
      const UserName = fresh("kms");
      await iam.send(new CreateUserCommand({ UserName }));
      if (statements.length > 0)
        await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: policy(...statements) }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
      const config = {
        ...accounts.config(),
        credentials: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! },
      };
      return { UserName, arn: `arn:aws:iam::${CICD}:user/${UserName}`, config, kms: new KMSClient(config), iam };
    },
    [Symbol.asyncDispose]: () => accounts[Symbol.asyncDispose](),
  };
}

let count = 0;
/** A name that nothing else of the file has. */
export const fresh = (kind: string): string => `${kind}-${++count}`;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const policy = (...statements: object[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });
