import { validatePolicyDocument } from "../authorization/validate-policy.ts";
import type { Core } from "../gateway/service.ts";
import { malformedPolicy } from "./errors.ts";

interface Statement {
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
}

/** What S3 checks when a bucket policy is put: its form, that its principals exist, that it speaks of this bucket. @throws AwsError MalformedPolicy */
export function checkBucketPolicy({ directory }: Core, bucket: string, policy: string): void {
  if (!policy.trimStart().startsWith("{")) throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'");
  const problem = validatePolicyDocument(policy, "resource");
  if (problem !== undefined) throw malformedPolicy(problem);
  const nobody = directory.missingPrincipal(policy);
  if (nobody !== undefined) throw malformedPolicy(`Invalid principal in policy ("AWS":"${nobody}")`);
  const { Statement } = JSON.parse(policy) as { readonly Statement: Statement | readonly Statement[] };
  const strange = [Statement].flat().flatMap(({ Resource, NotResource }) => [Resource ?? NotResource ?? []].flat()).find((arn) => !isOf(bucket, arn));
  if (strange !== undefined) throw malformedPolicy(`Policy has invalid resource (${strange})`);
}

function isOf(bucket: string, arn: string): boolean {
  const [, , service, , , ...rest] = arn.split(":");
  const [name = ""] = rest.join(":").split("/");
  const pattern = name.replaceAll(/[.+^$()|[\]{}\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return service === "s3" && new RegExp(`^${pattern}$`).test(bucket);
}
