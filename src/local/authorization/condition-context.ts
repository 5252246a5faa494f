import type { ConditionContext } from "./condition-values.ts";
import { type Principal, principalAccount, principalArnKey, principalUserId } from "./principal.ts";

/** What the global condition keys of a request are made from. */
export interface RequestFacts {
  readonly principal: Principal;
  readonly now: Date;
  /** `aws:RequestedRegion` */
  readonly region: string;
  /** The account that owns the resource: `aws:ResourceAccount`. */
  readonly resourceAccount?: string;
  /** The client's address; left out where a service calls another one. */
  readonly sourceIp?: string;
  readonly userAgent?: string;
  readonly referer?: string;
}

/**
 * The values of all global condition keys of a request. Services add their own: tags as `aws:RequestTag/<key>`,
 * `aws:ResourceTag/<key>` and `aws:TagKeys` (a list), and the keys of their prefix (`iam:PassedToService`, `s3:prefix`).
 *
 * `aws:SecureTransport` is true: plain HTTP never leaves the loopback interface, and nearly every bucket policy
 * denies what is not secure.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function conditionContext(facts: RequestFacts): ConditionContext {
  const { principal, now, region, resourceAccount, sourceIp, userAgent, referer } = facts;
  return withoutUndefined({
    "aws:CurrentTime": now.toISOString(),
    "aws:EpochTime": String(Math.floor(now.getTime() / 1000)),
    "aws:SecureTransport": "true",
    "aws:RequestedRegion": region,
    "aws:SourceIp": sourceIp,
    "aws:UserAgent": userAgent,
    "aws:Referer": referer,
    "aws:ResourceAccount": resourceAccount,
    "s3:ResourceAccount": resourceAccount,
    "s3:TlsVersion": "1.3",
    "kms:CallerAccount": principalAccount(principal),
    ...principalKeys(principal),
    ...serviceKeys(principal),
    ...sessionKeys(principal),
  });
}

type Keys = Record<string, string | readonly string[] | undefined>;

const TYPES = { root: "Account", user: "User", role: "AssumedRole", service: undefined, anonymous: "Anonymous" } as const;

function principalKeys(principal: Principal): Keys {
  const tags = principal.kind === "user" || principal.kind === "role" ? (principal.tags ?? {}) : {};
  return {
    "aws:PrincipalArn": principalArnKey(principal),
    "aws:PrincipalAccount": principalAccount(principal),
    "aws:PrincipalType": TYPES[principal.kind],
    "aws:userid": principalUserId(principal),
    "aws:username": principal.kind === "user" ? principal.name : undefined,
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
  };
}

function serviceKeys(principal: Principal): Keys {
  if (principal.kind !== "service") return { "aws:PrincipalIsAWSService": "false" };
  return {
    "aws:PrincipalIsAWSService": "true",
    "aws:PrincipalServiceName": principal.service,
    "aws:PrincipalServiceNamesList": [principal.service],
    "aws:SourceAccount": principal.sourceAccount,
    "aws:SourceArn": principal.sourceArn,
  };
}

function sessionKeys(principal: Principal): Keys {
  if (principal.kind === "user" && principal.session) return { "aws:ViaAWSService": "false", "aws:MultiFactorAuthPresent": "false" };
  if (principal.kind !== "role") return { "aws:ViaAWSService": "false" };
  const via = principal.calledVia ?? [];
  return {
    "aws:ViaAWSService": String(via.length > 0),
    "aws:CalledVia": via.length > 0 ? via : undefined,
    "aws:CalledViaFirst": via[0],
    "aws:CalledViaLast": via.at(-1),
    "aws:SourceIdentity": principal.sourceIdentity,
    "aws:TokenIssueTime": principal.issuedAt,
    "aws:MultiFactorAuthPresent": "false",
  };
}

const withoutUndefined = (keys: Keys): ConditionContext =>
  Object.fromEntries(Object.entries(keys).filter((entry): entry is [string, string | readonly string[]] => entry[1] !== undefined));
