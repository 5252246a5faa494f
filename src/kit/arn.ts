import { InvalidValue } from "./invalid-value.ts";

/** An Amazon Resource Name, taken apart. `resource` is everything after the fifth colon. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/**
 * Parses an ARN.
 * @throws InvalidValue when the text has fewer than six parts or does not start with `arn:`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export function parseArn(text: string): Arn {
  const [prefix, partition, service, region, account, ...resource] = text.split(":");
  if (prefix !== "arn" || !partition || !service || resource.length === 0)
    throw new InvalidValue("ARN", text, "an ARN looks like arn:aws:service:region:account:resource");
  return { partition, service, region: region ?? "", account: account ?? "", resource: resource.join(":") };
}

/** Prints an ARN. The partition is `aws` unless given. */
export function formatArn(arn: Omit<Arn, "partition"> & { readonly partition?: string }): string {
  return `arn:${arn.partition ?? "aws"}:${arn.service}:${arn.region}:${arn.account}:${arn.resource}`;
}

/**
 * The partition that a region is in: `aws` but for China and GovCloud.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** Whether the text is an ARN that {@link parseArn} accepts. */
export function isArn(text: string): boolean {
  return /^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+/.test(text);
}
