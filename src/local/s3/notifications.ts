import { type Principal, principalArn } from "../authorization/principal.ts";
import { parseAccountId } from "../../kit/account-id.ts";
import type { Call } from "../gateway/service.ts";
import type { S3 } from "./service.ts";
import type { Bucket, ObjectVersion } from "./store.ts";
import { sequencerOf } from "./version-order.ts";

interface Filter {
  readonly Key?: { readonly FilterRules?: readonly { readonly Name?: string; readonly Value?: string }[] };
}
interface LambdaConfiguration {
  readonly Id?: string;
  readonly LambdaFunctionArn?: string;
  readonly Events?: readonly string[];
  readonly Filter?: Filter;
}
interface NotificationConfiguration {
  readonly EventBridgeConfiguration?: object;
  readonly LambdaFunctionConfigurations?: readonly LambdaConfiguration[];
}

export interface Happening {
  readonly version: ObjectVersion;
  /** `ObjectCreated:Put` */
  readonly event: string;
  readonly call: Call;
}

/** Tells whoever the bucket's notification configuration names; call it in the transaction of the change. */
export function notify(s3: S3, bucket: Bucket, happening: Happening): void {
  const configured = bucket.configurations["NotificationConfiguration"] as NotificationConfiguration | undefined;
  if (configured?.EventBridgeConfiguration) toEventBridge(s3, bucket, happening);
  for (const target of configured?.LambdaFunctionConfigurations ?? [])
    if (matches(target, happening)) toLambda(s3, bucket, { ...happening, target });
}

function matches({ Events = [], Filter: filter }: LambdaConfiguration, { event, version }: Happening): boolean {
  const wanted = Events.some(
    (pattern) => pattern.replace(/^s3:/, "") === event || (pattern.endsWith(":*") && event.startsWith(pattern.slice(3, -1))),
  );
  const fits = (filter?.Key?.FilterRules ?? []).every(({ Name = "", Value = "" }) =>
    Name.toLowerCase() === "prefix" ? version.key.startsWith(Value) : version.key.endsWith(Value),
  );
  return wanted && fits;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
function toEventBridge({ core }: S3, bucket: Bucket, { version, event, call }: Happening): void {
  const created = event.startsWith("ObjectCreated");
  const reasons: Readonly<Record<string, string>> = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
  };
  core.emit({
    account: bucket.account,
    region: bucket.region,
    source: "aws.s3",
    detailType: created ? "Object Created" : "Object Deleted",
    resources: [`arn:aws:s3:::${bucket.name}`],
    detail: {
      version: "0",
      bucket: { name: bucket.name },
      object: {
        key: version.key,
        ...(created && { size: version.size, etag: version.etag }),
        ...(version.versionId !== "null" && { "version-id": version.versionId }),
        sequencer: sequencerOf(version.order),
      },
      "request-id": call.requestId,
      requester: call.account,
      "source-ip-address": String(call.context["aws:SourceIp"] ?? "127.0.0.1"),
      reason: reasons[event] ?? "DeleteObject",
      ...(!created && { "deletion-type": event.endsWith("MarkerCreated") ? "Delete Marker Created" : "Permanently Deleted" }),
    },
  });
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
function toLambda(s3: S3, bucket: Bucket, { version, event, call, target }: Happening & { readonly target: LambdaConfiguration }): void {
  const { core } = s3;
  const record = {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: bucket.region,
    eventTime: version.lastModified,
    eventName: event,
    userIdentity: { principalId: principalArn(call.caller) },
    requestParameters: { sourceIPAddress: call.context["aws:SourceIp"] ?? "127.0.0.1" },
    responseElements: { "x-amz-request-id": call.requestId, "x-amz-id-2": call.requestId },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: target.Id ?? "",
      bucket: { name: bucket.name, ownerIdentity: { principalId: bucket.account }, arn: `arn:aws:s3:::${bucket.name}` },
      object: {
        key: encodeURIComponent(version.key).replaceAll("%2F", "/").replaceAll("%20", "+"),
        size: version.size,
        eTag: version.etag,
        ...(version.versionId !== "null" && { versionId: version.versionId }),
        sequencer: sequencerOf(version.order),
      },
    },
  };
  s3.store.deliveries.put([core.random.uuid()], {
    account: bucket.account,
    region: bucket.region,
    sourceArn: `arn:aws:s3:::${bucket.name}`,
    functionArn: target.LambdaFunctionArn ?? "",
    payload: JSON.stringify({ Records: [record] }),
  });
  core.background("s3 notifications", () => deliver(s3));
}

/**
 * Hands waiting notifications to Lambda's own queue, at least once each. One that Lambda refuses (no permission, no
 * function) is dropped with a line in the log, as S3 drops it.
 */
export async function deliver({ core, store }: S3): Promise<void> {
  for (const { key, value } of store.deliveries.list([])) {
    const as: Principal = {
      kind: "service",
      service: "s3.amazonaws.com",
      sourceAccount: parseAccountId(value.account),
      sourceArn: value.sourceArn,
    };
    const input = { FunctionName: value.functionArn, InvocationType: "Event", Payload: Buffer.from(value.payload) };
    await core.dispatcher
      .call({ service: "lambda", operation: "Invoke", input, as, account: value.account, region: value.region })
      .catch((error: Error) => core.log("s3", `notification of ${value.sourceArn} to ${value.functionArn} was refused: ${error.message}`));
    store.deliveries.delete(key);
  }
}
