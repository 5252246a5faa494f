import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { AttachUserPolicyCommand } from "@aws-sdk/client-iam";
import { DescribeKeyCommand, EncryptCommand, GetKeyPolicyCommand, KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD, PRODUCTION, REGION } from "../testing/accounts.ts";
import { bytes, fresh, type KmsLab, openKmsLab, policy } from "./testing/kms-lab.ts";

let lab: KmsLab;
beforeAll(async () => {
  lab = await openKmsLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

const account = { Sid: "Account", Effect: "Allow", Principal: { AWS: CICD }, Action: "kms:*", Resource: "*" };
const ADMIN = `arn:aws:iam::${CICD}:user/cicd`;

describe("the key policy decides", () => {
  const encrypt = (client: KMSClient, KeyId: string | undefined) => client.send(new EncryptCommand({ KeyId, Plaintext: bytes("x") }));

  test("naming the account, it leaves the decision to identity-based policies", async () => {
    const { KeyId, Arn } = await lab.newKey();
    const [with_, without] = [await lab.newUser({ Effect: "Allow", Action: "kms:Encrypt", Resource: "*" }), await lab.newUser()];
    await encrypt(with_.kms, KeyId);
    await expect(encrypt(without.kms, KeyId)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: `User: ${without.arn} is not authorized to perform: kms:Encrypt on resource: ${Arn} because no identity-based policy allows the kms:Encrypt action`,
    });
  });

  test("not naming the account, it lets in only whom it names, the administrator included", async () => {
    const user = await lab.newUser();
    const admin = {
      Sid: "Admin",
      Effect: "Allow",
      Principal: { AWS: ADMIN },
      Action: ["kms:PutKeyPolicy", "kms:DescribeKey"],
      Resource: "*",
    };
    const { KeyId } = await lab.newKey({
      Policy: policy(admin, { Sid: "User", Effect: "Allow", Principal: { AWS: user.arn }, Action: "kms:Encrypt", Resource: "*" }),
    });
    await encrypt(user.kms, KeyId);
    await expect(encrypt(lab.kms, KeyId)).rejects.toThrow("because no resource-based policy allows the kms:Encrypt action");
    await lab.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: "default", Policy: policy(account) }));
    await encrypt(lab.kms, KeyId);
    expect(JSON.parse((await lab.kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy!)).toMatchObject({ Statement: [{ Sid: "Account" }] });
  });

  test("nobody locks themselves out unawares", async () => {
    const nobody = policy({ Effect: "Allow", Principal: { AWS: PRODUCTION }, Action: "kms:*", Resource: "*" });
    await expect(lab.newKey({ Policy: nobody })).rejects.toMatchObject({
      name: "MalformedPolicyDocumentException",
      message: "The new key policy will not allow you to update the key policy in the future.",
    });
    await lab.newKey({ Policy: nobody, BypassPolicyLockoutSafetyCheck: true });
    await expect(lab.newKey({ Policy: "{" })).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
  });

  test("another account needs the key policy and its own", async () => {
    const production = new KMSClient(lab.accounts.config("production"));
    const closed = await lab.newKey();
    await expect(encrypt(production, closed.Arn)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining("no resource-based policy"),
    });
    const open = await lab.newKey({
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
    const user = await lab.newUser();
    const { KeyId } = await lab.newKey({
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
    const user = await lab.newUser({ Effect: "Allow", Action: "ssm:GetParameter", Resource: "*" });
    const through = (Service: string) => ({
      Effect: "Allow",
      Principal: { AWS: user.arn },
      Action: "kms:Decrypt",
      Resource: "*",
      Condition: { StringEquals: { "kms:ViaService": `${Service}.${REGION}.amazonaws.com` } },
    });
    const { KeyId } = await lab.newKey({ Policy: policy(account, through("s3")) });
    const Name = fresh("/kms/parameter");
    await new SSMClient(lab.accounts.config("cicd")).send(new PutParameterCommand({ Name, Type: "SecureString", Value: "secret", KeyId }));
    const read = async () =>
      (await new SSMClient(user.config).send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter!.Value;
    await expect(read()).rejects.toMatchObject({ name: "AccessDeniedException", message: expect.stringContaining("kms:Decrypt") });
    await lab.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: "default", Policy: policy(account, through("ssm")) }));
    expect(await read()).toBe("secret");
  });

  test("a log group wants a key that lets CloudWatch Logs in", async () => {
    const logs = new CloudWatchLogsClient(lab.accounts.config("cicd"));
    const closed = await lab.newKey();
    await expect(logs.send(new CreateLogGroupCommand({ logGroupName: fresh("/kms/group"), kmsKeyId: closed.Arn }))).rejects.toThrow(
      "not allowed to be used with LogGroup",
    );
    const open = await lab.newKey({
      Policy: policy(account, {
        Effect: "Allow",
        Principal: { Service: `logs.${REGION}.amazonaws.com` },
        Action: ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        Resource: "*",
        Condition: { ArnLike: { "kms:EncryptionContext:aws:logs:arn": `arn:aws:logs:${REGION}:${CICD}:log-group:/kms/*` } },
      }),
    });
    await logs.send(new CreateLogGroupCommand({ logGroupName: fresh("/kms/group"), kmsKeyId: open.Arn }));
  });

  test("an AWS managed key is there for everybody of the account, through its service alone", async () => {
    const { KeyMetadata } = await lab.kms.send(new DescribeKeyCommand({ KeyId: "alias/aws/ssm" }));
    expect(KeyMetadata).toMatchObject({ KeyManager: "AWS" });
    await expect(lab.kms.send(new EncryptCommand({ KeyId: "alias/aws/ssm", Plaintext: bytes("x") }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    const user = await lab.newUser();
    await user.iam.send(new AttachUserPolicyCommand({ UserName: user.UserName, PolicyArn: "arn:aws:iam::aws:policy/AmazonSSMFullAccess" }));
    const ssm = new SSMClient(user.config);
    const Name = fresh("/kms/parameter");
    await ssm.send(new PutParameterCommand({ Name, Type: "SecureString", Value: "v" }));
    expect((await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter!.Value).toBe("v");
  });
});
