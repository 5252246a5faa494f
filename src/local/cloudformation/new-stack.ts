import type { Call, Core } from "../gateway/service.ts";
import type { StackRecord } from "./deploy/records.ts";
import { validationError } from "./engine/errors.ts";

/**
 * A stack that is not kept yet.
 * @throws AwsError ValidationError for a name that is none
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
 */
export function newStack(
  { clock, random }: Pick<Core, "clock" | "random">,
  name: string,
  { account, region }: Pick<Call, "account" | "region">,
): StackRecord {
  if (name.startsWith("arn:")) throw validationError(`Stack with id ${name} does not exist`);
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name))
    throw validationError(
      `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
    );
  return {
    id: `arn:aws:cloudformation:${region}:${account}:stack/${name}/${random.uuid()}`,
    name,
    account,
    region,
    status: "REVIEW_IN_PROGRESS",
    created: clock.now().toISOString(),
    deployment: { template: "", parameters: [], tags: {}, capabilities: [], notificationArns: [] },
    outputs: [],
    hasTerminationProtection: false,
    disableRollback: false,
    operations: 0,
  };
}
