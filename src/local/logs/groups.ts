import type {
  AssociateKmsKeyRequest,
  CreateLogGroupRequest,
  DeleteLogGroupRequest,
  DeleteRetentionPolicyRequest,
  DescribeLogGroupsRequest,
  DescribeLogGroupsResponse,
  DisassociateKmsKeyRequest,
  PutRetentionPolicyRequest,
} from "@aws-sdk/client-cloudwatch-logs";

import { AwsError } from "../gateway/aws-error.ts";
import { pageOf } from "../gateway/paging.ts";
import { type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import { groupExists, groupIsProtected, invalidParameter, invalidToken, keyRefused } from "./errors.ts";
import { accessTo, checkGroupName, findGroup, groupArn, groupNameOf } from "./names.ts";
import { deleteAll, type LogGroup, type LogStore } from "./store.ts";

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
const RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
const CLASSES = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"] as const;

const createLogGroup = (core: Core, store: LogStore) =>
  operation<CreateLogGroupRequest, object>({
    access: (input, call) => accessTo(store, "CreateLogGroup")(input, call).map((one) => ({ ...one, context: requestTags(input.tags) })),
    async run({ logGroupName = "", kmsKeyId, tags = {}, logGroupClass = "STANDARD", deletionProtectionEnabled = false }, call) {
      checkGroupName(logGroupName);
      const logClass = CLASSES.find((one) => one === logGroupClass);
      if (!logClass) throw invalidParameter(`"${logGroupClass}" is not a log group class: ${CLASSES.join(", ")}.`);
      if (kmsKeyId !== undefined) await checkKey(core, call, { kmsKeyId, group: logGroupName });
      const group: LogGroup = {
        name: logGroupName,
        created: core.clock.now().getTime(),
        logClass,
        isProtected: deletionProtectionEnabled,
        tags,
        ...(kmsKeyId !== undefined && { kmsKeyId }),
      };
      if (!store.groups.insert([call.account, call.region, logGroupName], group)) throw groupExists();
      return {};
    },
  });

export const requestTags = (tags: Readonly<Record<string, string>> | undefined): Record<string, string | readonly string[]> =>
  tags
    ? {
        "aws:TagKeys": Object.keys(tags),
        ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
      }
    : {};

// CloudWatch Logs itself must be let in by the key policy, for this group.
async function checkKey(core: Core, call: Call, { kmsKeyId, group }: { readonly kmsKeyId: string; readonly group: string }): Promise<void> {
  const arn = groupArn(call, group);
  try {
    await core.dispatcher.call({
      service: "kms",
      operation: "DescribeKeyUse",
      input: { KeyId: kmsKeyId, Action: "GenerateDataKey" },
      region: call.region,
      account: call.account,
      as: { kind: "service", service: `logs.${call.region}.amazonaws.com`, sourceAccount: call.account, sourceArn: arn },
      context: { "kms:EncryptionContext:aws:logs:arn": arn, "kms:EncryptionContextKeys": ["aws:logs:arn"] },
    });
  } catch (error) {
    throw error instanceof AwsError ? keyRefused(kmsKeyId, error.message) : error;
  }
}

const deleteLogGroup = (core: Core, store: LogStore) =>
  operation<DeleteLogGroupRequest, object>({
    access: accessTo(store, "DeleteLogGroup"),
    run(input, call) {
      const { name, isProtected } = findGroup(store, call, groupNameOf(input));
      if (isProtected) throw groupIsProtected();
      const prefix = [call.account, call.region, name];
      core.database.transaction(() => {
        deleteAll(store.batches, prefix);
        deleteAll(store.streams, prefix);
        store.groups.delete(prefix);
      });
      return {};
    },
  });

const describeLogGroups = (store: LogStore) =>
  operation<DescribeLogGroupsRequest, DescribeLogGroupsResponse>({
    access: (_input, call) => [{ action: "logs:DescribeLogGroups", resource: `${groupArn(call, "")}:log-stream:` }],
    run({ logGroupNamePrefix, logGroupNamePattern, logGroupIdentifiers, logGroupClass, limit = 50, nextToken }, call) {
      if (logGroupNamePrefix !== undefined && logGroupNamePattern !== undefined)
        throw invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
      const wanted = store.groups
        .list([call.account, call.region])
        .map(({ value }) => value)
        .filter(
          (group) =>
            group.name.startsWith(logGroupNamePrefix ?? "") &&
            group.name.toLowerCase().includes((logGroupNamePattern ?? "").toLowerCase()) &&
            (logGroupClass === undefined || group.logClass === logGroupClass) &&
            (logGroupIdentifiers === undefined ||
              logGroupIdentifiers.some((identifier) => groupNameOf({ logGroupIdentifier: identifier }) === group.name)),
        );
      const { items, next } = pageOf(wanted, { token: nextToken, limit, invalid: invalidToken });
      return { logGroups: items.map((group) => describe(group, call)), ...(next !== undefined && { nextToken: next }) };
    },
  });

const describe = (group: LogGroup, call: Call) => ({
  logGroupName: group.name,
  creationTime: group.created,
  metricFilterCount: 0,
  arn: `${groupArn(call, group.name)}:*`,
  logGroupArn: groupArn(call, group.name),
  logGroupClass: group.logClass,
  deletionProtectionEnabled: group.isProtected,
  ...(group.retentionDays !== undefined && { retentionInDays: group.retentionDays }),
  ...(group.kmsKeyId !== undefined && { kmsKeyId: group.kmsKeyId }),
});

/** Writes a changed group. @throws AwsError ResourceNotFoundException */
export function changeGroup(store: LogStore, call: Call, of: { readonly name: string; change(group: LogGroup): LogGroup }): void {
  store.groups.put([call.account, call.region, of.name], of.change(findGroup(store, call, of.name)));
}

const putRetentionPolicy = (store: LogStore) =>
  operation<PutRetentionPolicyRequest, object>({
    access: accessTo(store, "PutRetentionPolicy"),
    run(input, call) {
      const { retentionInDays = 0 } = input;
      if (!RETENTIONS.includes(retentionInDays))
        throw invalidParameter(`Retention in days must be one of ${RETENTIONS.join(", ")}; ${retentionInDays} is not.`);
      changeGroup(store, call, { name: groupNameOf(input), change: (group) => ({ ...group, retentionDays: retentionInDays }) });
      return {};
    },
  });

const deleteRetentionPolicy = (store: LogStore) =>
  operation<DeleteRetentionPolicyRequest, object>({
    access: accessTo(store, "DeleteRetentionPolicy"),
    run(input, call) {
      changeGroup(store, call, { name: groupNameOf(input), change: ({ retentionDays: _gone, ...group }) => group });
      return {};
    },
  });

const associateKmsKey = (core: Core, store: LogStore) =>
  operation<AssociateKmsKeyRequest, object>({
    access: (input, call) =>
      accessTo(store, "AssociateKmsKey")({ logGroupName: input.logGroupName, logGroupIdentifier: input.resourceIdentifier }, call),
    async run({ logGroupName, resourceIdentifier, kmsKeyId = "" }, call) {
      const name = groupNameOf({ logGroupName, logGroupIdentifier: resourceIdentifier });
      findGroup(store, call, name);
      await checkKey(core, call, { kmsKeyId, group: name });
      changeGroup(store, call, { name, change: (group) => ({ ...group, kmsKeyId }) });
      return {};
    },
  });

const disassociateKmsKey = (store: LogStore) =>
  operation<DisassociateKmsKeyRequest, object>({
    access: (input, call) =>
      accessTo(store, "DisassociateKmsKey")({ logGroupName: input.logGroupName, logGroupIdentifier: input.resourceIdentifier }, call),
    run({ logGroupName, resourceIdentifier }, call) {
      changeGroup(store, call, {
        name: groupNameOf({ logGroupName, logGroupIdentifier: resourceIdentifier }),
        change: ({ kmsKeyId: _gone, ...group }) => group,
      });
      return {};
    },
  });

/** Log groups. */
export const groupOperations = (core: Core, store: LogStore): Readonly<Record<string, AnyOperation>> => ({
  AssociateKmsKey: associateKmsKey(core, store),
  CreateLogGroup: createLogGroup(core, store),
  DeleteLogGroup: deleteLogGroup(core, store),
  DeleteRetentionPolicy: deleteRetentionPolicy(store),
  DescribeLogGroups: describeLogGroups(store),
  DisassociateKmsKey: disassociateKmsKey(store),
  PutRetentionPolicy: putRetentionPolicy(store),
});
