import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
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
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD, REGION } from "../testing/accounts.ts";
import { bytes, fresh, type KmsLab, openKmsLab } from "./testing/kms-lab.ts";

let lab: KmsLab;
beforeAll(async () => {
  lab = await openKmsLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

describe("a key", () => {
  test("is found by id, ARN, alias and alias ARN", async () => {
    const { KeyId, Arn } = await lab.newKey({ Description: "releases" });
    const AliasName = fresh("alias/test");
    await lab.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId! }));
    for (const name of [KeyId!, Arn!, AliasName, `arn:aws:kms:${REGION}:${CICD}:${AliasName}`])
      expect((await lab.kms.send(new DescribeKeyCommand({ KeyId: name }))).KeyMetadata).toMatchObject({
        KeyId,
        Arn,
        Description: "releases",
        KeyState: "Enabled",
        KeyManager: "CUSTOMER",
      });
    await expect(lab.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId! }))).rejects.toMatchObject({
      name: "AlreadyExistsException",
    });
    const other = await lab.newKey();
    await lab.kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: other.KeyId! }));
    expect((await lab.kms.send(new ListAliasesCommand({ KeyId: other.KeyId! }))).Aliases).toMatchObject([
      { AliasName, TargetKeyId: other.KeyId },
    ]);
    await lab.kms.send(new DeleteAliasCommand({ AliasName }));
    await expect(lab.kms.send(new DescribeKeyCommand({ KeyId: AliasName }))).rejects.toMatchObject({ name: "NotFoundException" });
  });

  test("is disabled, enabled, rotated, tagged, listed", async () => {
    const { KeyId } = await lab.newKey({ Tags: [{ TagKey: "a", TagValue: "1" }] });
    await lab.kms.send(new DisableKeyCommand({ KeyId }));
    await expect(lab.kms.send(new EncryptCommand({ KeyId, Plaintext: bytes("x") }))).rejects.toMatchObject({ name: "DisabledException" });
    await lab.kms.send(new EnableKeyCommand({ KeyId }));
    await lab.kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    expect(await lab.kms.send(new GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
    });
    await lab.kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: "b", TagValue: "2" }] }));
    await lab.kms.send(new UntagResourceCommand({ KeyId, TagKeys: ["a"] }));
    expect((await lab.kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([{ TagKey: "b", TagValue: "2" }]);
    expect((await lab.kms.send(new ListKeysCommand({ Limit: 1000 }))).Keys!.map((key) => key.KeyId)).toContain(KeyId);
  });

  test("waits for its deletion, which may be called off", async () => {
    const { KeyId } = await lab.newKey();
    const { DeletionDate } = await lab.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    expect(Math.round((DeletionDate!.getTime() - Date.now()) / 86_400_000)).toBe(7);
    await expect(lab.kms.send(new EncryptCommand({ KeyId, Plaintext: bytes("x") }))).rejects.toMatchObject({
      name: "KMSInvalidStateException",
    });
    await expect(lab.kms.send(new ScheduleKeyDeletionCommand({ KeyId }))).rejects.toMatchObject({ name: "KMSInvalidStateException" });
    await lab.kms.send(new CancelKeyDeletionCommand({ KeyId }));
    expect((await lab.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({ KeyState: "Disabled" });
    await expect(lab.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 6 }))).rejects.toMatchObject({
      name: "ValidationException",
    });
  });

  test("of another kind is not offered", async () => {
    await expect(lab.newKey({ KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" })).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("RSA_2048"),
    });
    await expect(
      lab.kms.send(new SignCommand({ KeyId: "x", Message: bytes("x"), SigningAlgorithm: "RSASSA_PSS_SHA_256" })),
    ).rejects.toMatchObject({ name: "NotImplemented" });
  });
});

describe("encryption", () => {
  test("comes back with the same context alone, and names its key by itself", async () => {
    const { KeyId, Arn } = await lab.newKey();
    const { CiphertextBlob } = await lab.kms.send(
      new EncryptCommand({ KeyId, Plaintext: bytes("secret"), EncryptionContext: { b: "2", a: "1" } }),
    );
    const opened = await lab.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: "1", b: "2" } }));
    expect([text(opened.Plaintext), opened.KeyId]).toEqual(["secret", Arn]);
    await expect(lab.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: "1" } }))).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
    const changed = Uint8Array.from(CiphertextBlob!, (byte, index) => (index === CiphertextBlob!.length - 1 ? byte ^ 1 : byte));
    await expect(
      lab.kms.send(new DecryptCommand({ CiphertextBlob: changed, EncryptionContext: { a: "1", b: "2" } })),
    ).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
    await expect(lab.kms.send(new DecryptCommand({ CiphertextBlob: bytes("garbage") }))).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
    const other = await lab.newKey();
    await expect(
      lab.kms.send(new DecryptCommand({ CiphertextBlob, KeyId: other.KeyId, EncryptionContext: { a: "1", b: "2" } })),
    ).rejects.toMatchObject({ name: "IncorrectKeyException" });
    const moved = await lab.kms.send(
      new ReEncryptCommand({ CiphertextBlob, SourceEncryptionContext: { a: "1", b: "2" }, DestinationKeyId: other.KeyId }),
    );
    expect(text((await lab.kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }))).Plaintext)).toBe("secret");
  });

  test("data keys and random bytes", async () => {
    const { KeyId } = await lab.newKey();
    const { Plaintext, CiphertextBlob } = await lab.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" }));
    expect(Plaintext!.length).toBe(32);
    expect((await lab.kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toEqual(Plaintext);
    expect(await lab.kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 16 }))).not.toHaveProperty("Plaintext");
    expect((await lab.kms.send(new GenerateRandomCommand({ NumberOfBytes: 9 }))).Plaintext!.length).toBe(9);
    await expect(lab.kms.send(new GenerateDataKeyCommand({ KeyId }))).rejects.toMatchObject({ name: "ValidationException" });
  });
});

test("what was encrypted is read after a restart", async () => {
  const { KeyId } = await lab.newKey();
  const { CiphertextBlob } = await lab.kms.send(new EncryptCommand({ KeyId, Plaintext: bytes("kept") }));
  await lab.restart();
  expect(text((await lab.kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext)).toBe("kept");
});
