import { conditionValues } from "../authorization/condition-values.ts";
import { compileTemplate } from "../authorization/template.ts";
import { validatePolicyDocument } from "../authorization/validate-policy.ts";
import type { Core } from "../gateway/service.ts";
import { malformedPolicy, policyTooLarge } from "./errors.ts";

interface Statement {
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
}

const WILDCARDS = { variables: false, wildcards: true };
const NO_VALUES = conditionValues({});
const MOST_BYTES = 20 * 1024;

/**
 * What S3 checks when a bucket policy is put: its form, that its principals exist, that it speaks of this bucket, its size
 * (userguide/add-bucket-policy.html; measured without white space, as AWS keeps it).
 * @throws AwsError MalformedPolicy, PolicyTooLarge
 */
export function checkBucketPolicy({ directory }: Core, bucket: string, policy: string): void {
  if (!policy.trimStart().startsWith("{")) throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'");
  const problem = validatePolicyDocument(policy, "resource");
  if (problem !== undefined) throw malformedPolicy(problem);
  if (Buffer.byteLength(JSON.stringify(JSON.parse(policy))) > MOST_BYTES) throw policyTooLarge(MOST_BYTES);
  const nobody = directory.missingPrincipal(policy);
  if (nobody !== undefined) throw malformedPolicy(`Invalid principal in policy ("AWS":"${nobody}")`);
  const { Statement } = JSON.parse(policy) as { readonly Statement: Statement | readonly Statement[] };
  const strange = [Statement]
    .flat()
    .flatMap(({ Resource, NotResource }) => [Resource ?? NotResource ?? []].flat())
    .find((arn) => !isOf(bucket, arn));
  if (strange !== undefined) throw malformedPolicy(`Policy has invalid resource (${strange})`);
}

function isOf(bucket: string, arn: string): boolean {
  const [, , service, , , ...rest] = arn.split(":");
  const [name = ""] = rest.join(":").split("/");
  return service === "s3" && compileTemplate(name, WILDCARDS).matches(bucket, NO_VALUES) === true;
}
