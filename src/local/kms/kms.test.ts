import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
let kms: KMSClient;
beforeAll(async () => {
  accounts = await startAccounts();
  kms = new KMSClient(accounts.config("cicd"));
});
afterAll(() => accounts[Symbol.asyncDispose]());

let count = 0;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);
const newKey = async (part: CreateKeyCommandInput = {}) => (await kms.send(new CreateKeyCommand(part))).KeyMetadata!;
const policy = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const account = { Sid: "Account", Effect: "Allow", Principal: { AWS: CICD }, Action: "kms:*", Resource: "*" };
const ADMIN = `arn:aws:iam::${CICD}:user/cicd`;

async function newUser(...statements: object[]) {
  const iam = new IAMClient(accounts.config("cicd"));
  const UserName = `kms-${++count}`;
  await iam.send(new CreateUserCommand({ UserName }));
  if (statements.length > 0) await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "p", PolicyDocument: policy(...statements) }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  const config = {
    ...accounts.config(),
    credentials: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! },
  };
  return { UserName, arn: `arn:aws:iam::${CICD}:user/${UserName}`, config, kms: new KMSClient(config), iam };
}

describe("a key", () => {
  test("is found by id, ARN, alias and alias ARN", async () => {
    const { KeyId, Arn } = await newKey({ Description: "releases" });
    const AliasName = `alias/test-${++count}`;
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId! }));
    for (const name of [KeyId!, Arn!, AliasName, `arn:aws:kms:${REGION}:${CICD}:${AliasName}`])
      expect((await kms.send(new DescribeKeyCommand({ KeyId: name }))).KeyMetadata).toMatchObject({
        KeyId,
        Arn,
        Description: "releases",
        KeyState: "Enabled",
        KeyManager: "CUSTOMER",
      });
    await expect(kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId! }))).rejects.toMatchObject({
      name: "AlreadyExistsException",
    });
    const other = await newKey();
    await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: other.KeyId! }));
    expect((await kms.send(new ListAliasesCommand({ KeyId: other.KeyId! }))).Aliases).toMatchObject([
      { AliasName, TargetKeyId: other.KeyId },
    ]);
    await kms.send(new DeleteAliasCommand({ AliasName }));
    await expect(kms.send(new DescribeKeyCommand({ KeyId: AliasName }))).rejects.toMatchObject({ name: "NotFoundException" });
  });

  test("is disabled, enabled, rotated, tagged, listed", async () => {
    const { KeyId } = await newKey({ Tags: [{ TagKey: "a", TagValue: "1" }] });
    await kms.send(new DisableKeyCommand({ KeyId }));
    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext: bytes("x") }))).rejects.toMatchObject({ name: "DisabledException" });
    await kms.send(new EnableKeyCommand({ KeyId }));
    await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    expect(await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
    });
    await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: "b", TagValue: "2" }] }));
    await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ["a"] }));
    expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([{ TagKey: "b", TagValue: "2" }]);
    expect((await kms.send(new ListKeysCommand({ Limit: 1000 }))).Keys!.map((key) => key.KeyId)).toContain(KeyId);
  });

  test("waits for its deletion, which may be called off", async () => {
    const { KeyId } = await newKey();
    const { DeletionDate } = await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    expect(Math.round((DeletionDate!.getTime() - Date.now()) / 86_400_000)).toBe(7);
    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext: bytes("x") }))).rejects.toMatchObject({
      name: "KMSInvalidStateException",
    });
    await expect(kms.send(new ScheduleKeyDeletionCommand({ KeyId }))).rejects.toMatchObject({ name: "KMSInvalidStateException" });
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({ KeyState: "Disabled" });
    await expect(kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 6 }))).rejects.toMatchObject({
      name: "ValidationException",
    });
  });

  test("of another kind is not offered", async () => {
    await expect(newKey({ KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" })).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("RSA_2048"),
    });
    await expect(
      kms.send(new SignCommand({ KeyId: "x", Message: bytes("x"), SigningAlgorithm: "RSASSA_PSS_SHA_256" })),
    ).rejects.toMatchObject({ name: "NotImplemented" });
  });
});

describe("encryption", () => {
  test("comes back with the same context alone, and names its key by itself", async () => {
    const { KeyId, Arn } = await newKey();
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext: bytes("secret"), EncryptionContext: { b: "2", a: "1" } }),
    );
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: "1", b: "2" } }));
    expect([text(opened.Plaintext), opened.KeyId]).toEqual(["secret", Arn]);
    await expect(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: "1" } }))).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
    const changed = Uint8Array.from(CiphertextBlob!, (byte, index) => (index === CiphertextBlob!.length - 1 ? byte ^ 1 : byte));
    await expect(kms.send(new DecryptCommand({ CiphertextBlob: changed, EncryptionContext: { a: "1", b: "2" } }))).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
    await expect(kms.send(new DecryptCommand({ CiphertextBlob: bytes("garbage") }))).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
    const other = await newKey();
    await expect(
      kms.send(new DecryptCommand({ CiphertextBlob, KeyId: other.KeyId, EncryptionContext: { a: "1", b: "2" } })),
    ).rejects.toMatchObject({ name: "IncorrectKeyException" });
    const moved = await kms.send(
      new ReEncryptCommand({ CiphertextBlob, SourceEncryptionContext: { a: "1", b: "2" }, DestinationKeyId: other.KeyId }),
    );
    expect(text((await kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }))).Plaintext)).toBe("secret");
  });

  test("data keys and random bytes", async () => {
    const { KeyId } = await newKey();
    const { Plaintext, CiphertextBlob } = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" }));
    expect(Plaintext!.length).toBe(32);
    expect((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toEqual(Plaintext);
    expect(await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 16 }))).not.toHaveProperty("Plaintext");
    expect((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 9 }))).Plaintext!.length).toBe(9);
    await expect(kms.send(new GenerateDataKeyCommand({ KeyId }))).rejects.toMatchObject({ name: "ValidationException" });
  });
});

describe("the key policy decides", () => {
  const encrypt = (client: KMSClient, KeyId: string | undefined) => client.send(new EncryptCommand({ KeyId, Plaintext: bytes("x") }));

  test("naming the account, it leaves the decision to identity-based policies", async () => {
    const { KeyId, Arn } = await newKey();
    const [with_, without] = [await newUser({ Effect: "Allow", Action: "kms:Encrypt", Resource: "*" }), await newUser()];
    await encrypt(with_.kms, KeyId);
    await expect(encrypt(without.kms, KeyId)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: `User: ${without.arn} is not authorized to perform: kms:Encrypt on resource: ${Arn} because no identity-based policy allows the kms:Encrypt action`,
    });
  });

  test("not naming the account, it lets in only whom it names, the administrator included", async () => {
    const user = await newUser();
    const admin = {
      Sid: "Admin",
      Effect: "Allow",
      Principal: { AWS: ADMIN },
      Action: ["kms:PutKeyPolicy", "kms:DescribeKey"],
      Resource: "*",
    };
    const { KeyId } = await newKey({
      Policy: policy(admin, { Sid: "User", Effect: "Allow", Principal: { AWS: user.arn }, Action: "kms:Encrypt", Resource: "*" }),
    });
    await encrypt(user.kms, KeyId);
    await expect(encrypt(kms, KeyId)).rejects.toThrow("because no resource-based policy allows the kms:Encrypt action");
    await kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: "default", Policy: policy(account) }));
    await encrypt(kms, KeyId);
    expect(JSON.parse((await kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy!)).toMatchObject({ Statement: [{ Sid: "Account" }] });
  });

  test("nobody locks themselves out unawares", async () => {
    const nobody = policy({ Effect: "Allow", Principal: { AWS: PRODUCTION }, Action: "kms:*", Resource: "*" });
    await expect(newKey({ Policy: nobody })).rejects.toMatchObject({
      name: "MalformedPolicyDocumentException",
      message: "The new key policy will not allow you to update the key policy in the future.",
    });
    await newKey({ Policy: nobody, BypassPolicyLockoutSafetyCheck: true });
    await expect(newKey({ Policy: "{" })).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
  });

  test("another account needs the key policy and its own", async () => {
    const production = new KMSClient(accounts.config("production"));
    const closed = await newKey();
    await expect(encrypt(production, closed.Arn)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining("no resource-based policy"),
    });
    const open = await newKey({
      Policy: policy(account, {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` },
        Action: "kms:Encrypt",
        Resource: "*",
      }),
    });
    await encrypt(production, open.Arn);
    await expect(encrypt(production, open.KeyId)).rejects.toMatchObject({ name: "NotFoundException" });
  });

  test("may look at the encryption context", async () => {
    const user = await newUser();
    const { KeyId } = await newKey({
      Policy: policy(account, {
        Effect: "Allow",
        Principal: { AWS: user.arn },
        Action: "kms:Encrypt",
        Resource: "*",
        Condition: { StringEquals: { "kms:EncryptionContext:app": "omx" } },
      }),
    });
    await user.kms.send(new EncryptCommand({ KeyId, Plaintext: bytes("x"), EncryptionContext: { app: "omx" } }));
    await expect(encrypt(user.kms, KeyId)).rejects.toThrow("kms:EncryptionContext:app");
  });
});

describe("services that keep data under a key ask as their caller", () => {
  test("a SecureString can be read by those who may decrypt through Systems Manager", async () => {
    const user = await newUser({ Effect: "Allow", Action: "ssm:GetParameter", Resource: "*" });
    const through = (Service: string) => ({
      Effect: "Allow",
      Principal: { AWS: user.arn },
      Action: "kms:Decrypt",
      Resource: "*",
      Condition: { StringEquals: { "kms:ViaService": `${Service}.${REGION}.amazonaws.com` } },
    });
    const { KeyId } = await newKey({ Policy: policy(account, through("s3")) });
    const Name = `/kms/${++count}`;
    await new SSMClient(accounts.config("cicd")).send(new PutParameterCommand({ Name, Type: "SecureString", Value: "secret", KeyId }));
    const read = async () =>
      (await new SSMClient(user.config).send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter!.Value;
    await expect(read()).rejects.toMatchObject({ name: "AccessDeniedException", message: expect.stringContaining("kms:Decrypt") });
    await kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: "default", Policy: policy(account, through("ssm")) }));
    expect(await read()).toBe("secret");
  });

  test("a log group wants a key that lets CloudWatch Logs in", async () => {
    const logs = new CloudWatchLogsClient(accounts.config("cicd"));
    const closed = await newKey();
    await expect(logs.send(new CreateLogGroupCommand({ logGroupName: `/kms/${++count}`, kmsKeyId: closed.Arn }))).rejects.toThrow(
      "not allowed to be used with LogGroup",
    );
    const open = await newKey({
      Policy: policy(account, {
        Effect: "Allow",
        Principal: { Service: `logs.${REGION}.amazonaws.com` },
        Action: ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        Resource: "*",
        Condition: { ArnLike: { "kms:EncryptionContext:aws:logs:arn": `arn:aws:logs:${REGION}:${CICD}:log-group:/kms/*` } },
      }),
    });
    await logs.send(new CreateLogGroupCommand({ logGroupName: `/kms/${++count}`, kmsKeyId: open.Arn }));
  });

  test("an AWS managed key is there for everybody of the account, through its service alone", async () => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: "alias/aws/ssm" }));
    expect(KeyMetadata).toMatchObject({ KeyManager: "AWS" });
    await expect(kms.send(new EncryptCommand({ KeyId: "alias/aws/ssm", Plaintext: bytes("x") }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    const user = await newUser();
    await user.iam.send(new AttachUserPolicyCommand({ UserName: user.UserName, PolicyArn: "arn:aws:iam::aws:policy/AmazonSSMFullAccess" }));
    const ssm = new SSMClient(user.config);
    const Name = `/kms/${++count}`;
    await ssm.send(new PutParameterCommand({ Name, Type: "SecureString", Value: "v" }));
    expect((await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter!.Value).toBe("v");
  });
});

test("what was encrypted is read after a restart", async () => {
  const { KeyId } = await newKey();
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes("kept") }));
  await accounts.restart();
  kms = new KMSClient(accounts.config("cicd"));
  expect(text((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext)).toBe("kept");
});
