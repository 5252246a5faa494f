import { createHash } from "node:crypto";

// AWS's own documents: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
import table from "./aws-managed-policies.json" with { type: "json" };

/** A policy that AWS manages: every account may attach it, nobody may change it. */
export interface AwsManagedPolicy {
  readonly arn: string;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly version: string;
  readonly created: string;
  readonly updated: string;
  readonly document: string;
}

const POLICIES: ReadonlyMap<string, AwsManagedPolicy> = new Map(
  table.map(({ document, ...policy }) => {
    const arn = `arn:aws:iam::aws:policy${policy.path}${policy.name}`;
    return [arn, { ...policy, arn, id: idOf(arn), document: JSON.stringify(document) }];
  }),
);

/** The AWS managed policy of an ARN, where it is one of those the local accounts know. */
export const awsManagedPolicy = (arn: string): AwsManagedPolicy | undefined => POLICIES.get(arn);

/** All AWS managed policies the local accounts know, by name. */
export const awsManagedPolicies = (): readonly AwsManagedPolicy[] => [...POLICIES.values()];

function idOf(arn: string): string {
  return `ANPA${createHash("sha256")
    .update(arn)
    .digest("hex")
    .toUpperCase()
    .replace(/[^A-Z2-7]/g, "")
    .slice(0, 17)}`;
}
