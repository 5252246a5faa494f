import type { Place } from "../../release/project/deploy-config.ts";

/** A finding of cdk-nag that is meant, where it is, and why. */
export interface Acknowledgement {
  /** `AwsSolutions-S1`, `AwsSolutions-IAM5[Resource::…]`: as the report writes it. */
  readonly finding: string;
  /** Paths of constructs below the app. */
  readonly at: readonly string[];
  readonly reason: string;
}

/** The deployment whose findings are acknowledged. */
export interface Reviewed {
  readonly cicd: Place;
  readonly production: Place;
  readonly workflow: string;
  /** The key of the toolkit in the bucket of CDK's assets. */
  readonly toolkitKey: string;
}

/** The finding of a permission for resources whose names are not known. */
export const resource = (arn: string): string => `AwsSolutions-IAM5[Resource::${arn}]`;

/** Where the stacks of a workflow and of production are. */
export const paths = ({ production, workflow }: Reviewed) => ({
  wf: `omx-workflow-${workflow}`,
  prod: `omx-production-${production.account}-${production.region}`,
});

/** Region and account, as ARNs have them. */
export const within = ({ region, account }: Place): string => `${region}:${account}`;

/** How a finding writes the artifacts bucket's ARN in another stack than its own. */
export const EXPORTED_ARTIFACTS = "omx-cicd:ExportsOutputFnGetAttArtifacts82DD59A1Arn3B515032";
