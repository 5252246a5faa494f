import type { Template } from "./template/template.ts";

/** What the caller must acknowledge before a template is deployed. */
export interface RequiredCapabilities {
  readonly capability: "CAPABILITY_IAM" | "CAPABILITY_NAMED_IAM";
  /** The types that ask for it. */
  readonly types: readonly string[];
}

/** The member that gives an IAM resource a name of its own. */
const NAME_OF: Readonly<Record<string, string | undefined>> = {
  "AWS::IAM::AccessKey": undefined,
  "AWS::IAM::Group": "GroupName",
  "AWS::IAM::InstanceProfile": "InstanceProfileName",
  "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
  "AWS::IAM::Policy": undefined,
  "AWS::IAM::Role": "RoleName",
  "AWS::IAM::User": "UserName",
  "AWS::IAM::UserToGroupAddition": undefined,
};

/**
 * The capability a template needs, or undefined.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html#using-iam-capabilities
 */
export function requiredCapabilities(template: Template): RequiredCapabilities | undefined {
  const resources = Object.values(template.resources).filter(({ Type }) => Type in NAME_OF);
  if (resources.length === 0) return undefined;
  const isNamed = resources.some(({ Type, Properties }) => Properties !== undefined && (NAME_OF[Type] ?? "") in Properties);
  return { capability: isNamed ? "CAPABILITY_NAMED_IAM" : "CAPABILITY_IAM", types: [...new Set(resources.map(({ Type }) => Type))] };
}

/** Whether what the caller acknowledged is enough. */
export function isAcknowledged(required: RequiredCapabilities | undefined, given: readonly string[]): boolean {
  if (!required) return true;
  return given.includes("CAPABILITY_NAMED_IAM") || given.includes(required.capability);
}
