import type {
  CreateSecretRequest,
  CreateSecretResponse,
  DeleteSecretRequest,
  DeleteSecretResponse,
  DescribeSecretRequest,
  DescribeSecretResponse,
  GetSecretValueRequest,
  GetSecretValueResponse,
  PutSecretValueRequest,
  PutSecretValueResponse,
} from "@aws-sdk/client-secrets-manager";
import { type Access, type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import { alreadyExists, invalidParameter, markedForDeletion, notFound, versionExists, versionNotFound } from "./errors.ts";
import type { Secret, SecretStore, SecretVersion } from "./store.ts";

const [CURRENT, PREVIOUS] = ["AWSCURRENT", "AWSPREVIOUS"];
const DAY_MS = 86_400_000;
const LONGEST_VALUE_BYTES = 65_536;

/** What serves secrets. */
export function secretOperations(core: Core, store: SecretStore): Readonly<Record<string, AnyOperation>> {
  const secrets: Secrets = { core, store };
  return {
    CreateSecret: createSecret(secrets),
    PutSecretValue: putSecretValue(secrets),
    GetSecretValue: getSecretValue(secrets),
    DescribeSecret: describeSecret(secrets),
    DeleteSecret: deleteSecret(secrets),
  };
}

interface Secrets {
  readonly core: Core;
  readonly store: SecretStore;
}

const createSecret = (secrets: Secrets) =>
  operation<CreateSecretRequest, CreateSecretResponse>({
    access: ({ Name = "", Tags = [] }, call) => [
      {
        action: "secretsmanager:CreateSecret",
        resource: arnOf(call, `${Name}-??????`),
        context: {
          "secretsmanager:Name": Name,
          "aws:TagKeys": Tags.map(({ Key = "" }) => Key),
          ...Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [`aws:RequestTag/${Key}`, Value])),
        },
      },
    ],
    run(input, call) {
      const { Name: name = "", Description: description, KmsKeyId: kmsKeyId, Tags = [] } = input;
      if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name))
        throw invalidParameter("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!");
      if (find(secrets, call, name)) throw alreadyExists(name);
      const at = secrets.core.clock.now().toISOString();
      const version =
        input.SecretString === undefined && input.SecretBinary === undefined ? undefined : versionOf(secrets, input, [CURRENT]);
      const secret: Secret = {
        name,
        arn: arnOf(call, `${name}-${secrets.core.random.hex(6)}`),
        tags: Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value])),
        versions: version ? [version] : [],
        created: at,
        changed: at,
        ...(description !== undefined && { description }),
        ...(kmsKeyId !== undefined && { kmsKeyId }),
      };
      secrets.store.put([call.account, call.region, name], secret);
      return { ARN: secret.arn, Name: name, ...(version && { VersionId: version.id }) };
    },
  });

const putSecretValue = (secrets: Secrets) =>
  operation<PutSecretValueRequest, PutSecretValueResponse>({
    access: onSecret(secrets, "PutSecretValue"),
    run(input, call) {
      const secret = living(secrets, call, input.SecretId);
      const version = versionOf(secrets, input, input.VersionStages ?? [CURRENT]);
      const same = secret.versions.find(({ id }) => id === version.id);
      if (same && (same.text !== version.text || same.bytes !== version.bytes)) throw versionExists(version.id);
      const versions = same ? secret.versions : [...secret.versions.map((one) => withoutStages(one, version.stages)), version];
      secrets.store.put([call.account, call.region, secret.name], { ...secret, versions, changed: secrets.core.clock.now().toISOString() });
      return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: [...(same ?? version).stages] };
    },
  });

/** A stage belongs to one version at a time; what was current becomes the previous one. */
function withoutStages(version: SecretVersion, taken: readonly string[]): SecretVersion {
  const wasCurrent = taken.includes(CURRENT) && version.stages.includes(CURRENT);
  const kept = version.stages.filter((stage) => !taken.includes(stage) && !(taken.includes(CURRENT) && stage === PREVIOUS));
  return { ...version, stages: wasCurrent ? [...kept, PREVIOUS] : kept };
}

const getSecretValue = (secrets: Secrets) =>
  operation<GetSecretValueRequest, GetSecretValueResponse>({
    access: onSecret(secrets, "GetSecretValue"),
    run({ SecretId, VersionId, VersionStage }, call) {
      const secret = living(secrets, call, SecretId);
      const stage = VersionStage ?? (VersionId === undefined ? CURRENT : undefined);
      const version = secret.versions.find(
        ({ id, stages }) => (VersionId === undefined || id === VersionId) && (stage === undefined || stages.includes(stage)),
      );
      if (!version) throw versionNotFound(VersionId === undefined ? `staging label: ${stage}` : `VersionId: ${VersionId}`);
      const { id, text, bytes, created, stages } = version;
      return {
        ARN: secret.arn,
        Name: secret.name,
        VersionId: id,
        VersionStages: [...stages],
        CreatedDate: new Date(created),
        ...(text !== undefined && { SecretString: text }),
        ...(bytes !== undefined && { SecretBinary: Buffer.from(bytes, "base64") }),
      };
    },
  });

const describeSecret = (secrets: Secrets) =>
  operation<DescribeSecretRequest, DescribeSecretResponse>({
    access: onSecret(secrets, "DescribeSecret"),
    run({ SecretId }, call) {
      const secret = find(secrets, call, SecretId);
      if (!secret) throw notFound();
      const { arn, name, description, kmsKeyId, tags, versions, created, changed, deletedAt } = secret;
      return {
        ARN: arn,
        Name: name,
        Description: description,
        KmsKeyId: kmsKeyId,
        CreatedDate: new Date(created),
        LastChangedDate: new Date(changed),
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
        VersionIdsToStages: Object.fromEntries(
          versions.filter(({ stages }) => stages.length > 0).map(({ id, stages }) => [id, [...stages]]),
        ),
        ...(deletedAt && { DeletedDate: new Date(deletedAt) }),
      };
    },
  });

const deleteSecret = (secrets: Secrets) =>
  operation<DeleteSecretRequest, DeleteSecretResponse>({
    access: onSecret(secrets, "DeleteSecret"),
    run({ SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery }, call) {
      if (ForceDeleteWithoutRecovery && RecoveryWindowInDays !== undefined)
        throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
      const days = RecoveryWindowInDays ?? 30;
      if (days < 7 || days > 30) throw invalidParameter("RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
      const secret = living(secrets, call, SecretId);
      const key = [call.account, call.region, secret.name];
      const now = secrets.core.clock.now();
      const goesAt = new Date(now.getTime() + (ForceDeleteWithoutRecovery ? 0 : days * DAY_MS));
      if (ForceDeleteWithoutRecovery) secrets.store.delete(key);
      else secrets.store.put(key, { ...secret, deletedAt: now.toISOString(), goesAt: goesAt.toISOString() });
      return { ARN: secret.arn, Name: secret.name, DeletionDate: goesAt };
    },
  });

function versionOf(
  { core }: Secrets,
  { SecretString, SecretBinary, ClientRequestToken }: PutSecretValueRequest | CreateSecretRequest,
  stages: readonly string[],
): SecretVersion {
  if ((SecretString === undefined) === (SecretBinary === undefined))
    throw invalidParameter("You must provide either SecretString or SecretBinary.");
  const bytes = SecretBinary === undefined ? undefined : Buffer.from(SecretBinary);
  if ((bytes?.length ?? Buffer.byteLength(SecretString ?? "")) > LONGEST_VALUE_BYTES)
    throw invalidParameter(`A secret's value has at most ${LONGEST_VALUE_BYTES} bytes.`);
  return {
    id: ClientRequestToken ?? core.random.uuid(),
    created: core.clock.now().toISOString(),
    stages,
    ...(SecretString !== undefined && { text: SecretString }),
    ...(bytes && { bytes: bytes.toString("base64") }),
  };
}

const arnOf = ({ account, region }: Call, name: string): string => `arn:aws:secretsmanager:${region}:${account}:secret:${name}`;

/** What a request names: a name, an ARN, or an ARN without its random end. */
function find({ core, store }: Secrets, call: Call, id = ""): Secret | undefined {
  const named = /^arn:[^:]+:secretsmanager:([^:]*):(\d{12}):secret:(.+)$/.exec(id);
  const isElsewhere = named !== null && (named[1] !== call.region || named[2] !== call.account);
  const secret = isElsewhere
    ? undefined
    : (store.get([call.account, call.region, named?.[3] ?? id]) ??
      store.get([call.account, call.region, (named?.[3] ?? "").replace(/-[^-]{6}$/, "")]));
  if (!secret || (named && id.length > arnOf(call, secret.name).length && id !== secret.arn)) return undefined;
  return secret.goesAt !== undefined && secret.goesAt <= core.clock.now().toISOString() ? undefined : secret;
}

/** @throws AwsError ResourceNotFoundException, InvalidRequestException for one that was deleted */
function living(secrets: Secrets, call: Call, id: string | undefined): Secret {
  const secret = find(secrets, call, id);
  if (!secret) throw notFound();
  if (secret.goesAt !== undefined) throw markedForDeletion();
  return secret;
}

const onSecret =
  (secrets: Secrets, action: string) =>
  ({ SecretId = "" }: { readonly SecretId: string | undefined }, call: Call): readonly Access[] => {
    const secret = find(secrets, call, SecretId);
    const tags = Object.fromEntries(
      Object.entries(secret?.tags ?? {}).flatMap(([key, value]) => [
        [`aws:ResourceTag/${key}`, value],
        [`secretsmanager:ResourceTag/${key}`, value],
      ]),
    );
    return [
      {
        action: `secretsmanager:${action}`,
        resource: secret?.arn ?? (SecretId.startsWith("arn:") ? SecretId : arnOf(call, SecretId)),
        context: { "secretsmanager:SecretId": SecretId, ...tags },
      },
    ];
  };
