import type { Access, Call } from "../gateway/service.ts";
import { type CloudFormation, stackNameOf } from "./cloudformation.ts";

/** What IAM must allow for operations on stacks. */
export interface AccessRules {
  /** An action on one stack, by name or id; on every stack where none is named. */
  on(action: string, nameOrId: string | undefined, call: Call): Access;
  /** Passing a role to CloudFormation, where the request names one. */
  passing(roleArn: string | undefined): readonly Access[];
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html */
export function accessRules({ find }: Pick<CloudFormation, "find">): AccessRules {
  return {
    on: (action, nameOrId, call) => ({
      action: `cloudformation:${action}`,
      resource: nameOrId === undefined ? "*" : stackArn(nameOrId, call),
    }),
    passing: (roleArn) =>
      roleArn === undefined
        ? []
        : [{ action: "iam:PassRole", resource: roleArn, context: { "iam:PassedToService": "cloudformation.amazonaws.com" } }],
  };

  function stackArn(nameOrId: string, call: Call): string {
    return find(call, nameOrId)?.id ?? `arn:aws:cloudformation:${call.region}:${call.account}:stack/${stackNameOf(nameOrId)}/*`;
  }
}
