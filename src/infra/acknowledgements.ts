import { type Acknowledgement, EXPORTED_ARTIFACTS, paths, resource, type Reviewed } from "./acknowledged/finding.ts";
import { logStreams } from "./acknowledged/log-streams.ts";
import { namesToCome } from "./acknowledged/names-to-come.ts";
import { objects } from "./acknowledged/objects.ts";

/** Every finding of AwsSolutions in a deployment that is meant to be, each with its reason. */
export const acknowledgements = (reviewed: Reviewed): readonly Acknowledgement[] => [
  ...buckets(reviewed),
  ...logStreams(reviewed),
  ...objects(reviewed),
  ...namesToCome(reviewed),
  ...withoutResource(reviewed),
  ...pipelineRoles(reviewed),
];

function buckets(reviewed: Reviewed): readonly Acknowledgement[] {
  const reason =
    "Who read or wrote which object is in CloudTrail's data events, which an organization switches on for all buckets at once; access logs would need a bucket more in each account.";
  return [{ finding: "AwsSolutions-S1", at: ["omx-cicd/Artifacts", `${paths(reviewed).prod}/Releases`], reason }];
}

function withoutResource(reviewed: Reviewed): readonly Acknowledgement[] {
  const { wf, prod } = paths(reviewed);
  const any = (at: readonly string[], reason: string): Acknowledgement => ({ finding: resource("*"), at, reason });
  return [
    any(
      ["omx-cicd/TestRun", "omx-containers/Puller", "omx-containers/Builder"],
      "Log delivery and X-Ray of Step Functions know no resource.",
    ),
    any(
      ["omx-containers/PullImage", "omx-containers/BuildImage", "omx-containers/ImageBuild", "omx-containers/ImagePull"],
      "ecr:GetAuthorizationToken knows no resource.",
    ),
    any(
      [`${wf}/Build`, `${prod}/Release`],
      "omics:CreateWorkflow, omics:ListWorkflows and ecr:GetAuthorizationToken know no resource, nor does the tag of a workflow that is being made.",
    ),
  ];
}

/** What CDK's own construct of a pipeline grants: on the pipeline's bucket and key, by groups of actions. */
function pipelineRoles(reviewed: Reviewed): readonly Acknowledgement[] {
  const { wf } = paths(reviewed);
  const role = `${wf}/Pipeline/Role`;
  const sources = [`${wf}/Pipeline/Source/Source/CodePipelineActionRole`, `${wf}/Pipeline/Source/Toolkit/CodePipelineActionRole`];
  const test = `${wf}/Pipeline/Test/Test/CodePipelineActionRole`;
  const reason = "aws-codepipeline grants its roles groups of actions on the artifacts bucket and its key, and nothing outside them.";
  const action = (name: string, at: readonly string[]): Acknowledgement => ({ finding: `AwsSolutions-IAM5[Action::${name}]`, at, reason });
  return [
    ...["s3:GetBucket*", "s3:GetObject*", "s3:List*"].map((name) => action(name, [role, ...sources, test])),
    ...["s3:Abort*", "s3:DeleteObject*", "kms:ReEncrypt*"].map((name) => action(name, [role, ...sources])),
    action("kms:GenerateDataKey*", [role, ...sources, `${wf}/Pipeline/Approve/Approve/CodePipelineActionRole`]),
    {
      finding: resource(`${EXPORTED_ARTIFACTS}/*`),
      at: [role, ...sources, test],
      reason: "CodePipeline puts artifacts and their random names into the whole bucket of its pipelines.",
    },
  ];
}
