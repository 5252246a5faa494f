import { artifactsBucket, pipelineName, PREFIXES, releasesBucket } from "../release/names.ts";
import type { Place } from "../release/project/deploy-config.ts";

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

/** Every finding of AwsSolutions in a deployment that is meant to be, each with its reason. */
export const acknowledgements = (reviewed: Reviewed): readonly Acknowledgement[] => [
  ...buckets(reviewed),
  ...logStreams(reviewed),
  ...objects(reviewed),
  ...namesToCome(reviewed),
  ...withoutResource(reviewed),
  ...pipelineRoles(reviewed),
];

const resource = (arn: string): string => `AwsSolutions-IAM5[Resource::${arn}]`;
const paths = ({ production, workflow }: Reviewed) => ({
  wf: `omx-workflow-${workflow}`,
  prod: `omx-production-${production.account}-${production.region}`,
});
const within = ({ region, account }: Place): string => `${region}:${account}`;
/** How a finding writes the artifacts bucket's ARN in another stack than its own. */
const EXPORTED_ARTIFACTS = "omx-cicd:ExportsOutputFnGetAttArtifacts82DD59A1Arn3B515032";

function buckets(reviewed: Reviewed): readonly Acknowledgement[] {
  const reason =
    "Who read or wrote which object is in CloudTrail's data events, which an organization switches on for all buckets at once; access logs would need a bucket more in each account.";
  return [{ finding: "AwsSolutions-S1", at: ["omx-cicd/Artifacts", `${paths(reviewed).prod}/Releases`], reason }];
}

function logStreams(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production, workflow } = reviewed;
  const { wf, prod } = paths(reviewed);
  const own = (place: Place, group: string, at: string): Acknowledgement => ({
    finding: resource(`arn:<AWS::Partition>:logs:${within(place)}:log-group:${group}:*`),
    at: [at],
    reason: "The streams of the one log group that is this role's own; their names are made when it runs.",
  });
  const runs = (place: Place, at: string): Acknowledgement => ({
    finding: resource(`arn:aws:logs:${within(place)}:log-group:/aws/omics/WorkflowLog:*`),
    at: [at],
    reason: "HealthOmics writes the logs of all runs to this one group, a stream for each run and task.",
  });
  return [
    own(cicd, "/aws/lambda/omx-judge-tests", "omx-cicd/Judge"),
    own(cicd, "/aws/lambda/omx-plan-images", "omx-containers/PlanImages"),
    own(cicd, "/aws/lambda/omx-pull-image", "omx-containers/PullImage"),
    own(cicd, "/aws/lambda/omx-build-image", "omx-containers/BuildImage"),
    own(cicd, "/aws/lambda/omx-repository-policy", "omx-containers/RepositoryPolicy"),
    own(cicd, "/aws/codebuild/omx-image-build", "omx-containers/ImageBuild"),
    own(cicd, "/aws/codebuild/omx-image-pull", "omx-containers/ImagePull"),
    ...[
      ["omx-image-build", "BuildImage"],
      ["omx-image-pull", "PullImage"],
    ].map(([project, handler]): Acknowledgement => ({
      finding: resource(`arn:aws:logs:${within(cicd)}:log-group:/aws/codebuild/${project}:log-stream:*`),
      at: [`omx-containers/${handler}`],
      reason: "The last lines of a build that failed, whose stream is named when it runs; reading only.",
    })),
    own(cicd, `/aws/codebuild/omx-${workflow}-checks`, `${wf}/Checks`),
    own(cicd, `/aws/codebuild/omx-${workflow}-build`, `${wf}/Build`),
    own(cicd, `/aws/codebuild/omx-${workflow}-promote`, `${wf}/Promote`),
    own(production, "/aws/lambda/omx-verify-bundle", `${prod}/Verify`),
    own(production, "/aws/codebuild/omx-release", `${prod}/Release`),
    runs(cicd, "omx-cicd/RunRole"),
    runs(production, `${prod}/RunRole`),
  ];
}

const objects = (reviewed: Reviewed): readonly Acknowledgement[] => [
  ...pipelineArtifacts(reviewed),
  ...sharedArtifacts(reviewed),
  ...toolkits(reviewed),
  ...bundles(reviewed),
];

const below = (arn: string, at: readonly string[], reason: string): Acknowledgement => ({ finding: resource(`${arn}*`), at, reason });

/** What a workflow's own pipeline reads and writes. */
function pipelineArtifacts(reviewed: Reviewed): readonly Acknowledgement[] {
  const { workflow } = reviewed;
  const { wf } = paths(reviewed);
  const both = [`${wf}/Build`, `${wf}/Promote`];
  const folder = (prefix: string): string => `${EXPORTED_ARTIFACTS}/${prefix}/${workflow}/`;
  const artifacts = `${EXPORTED_ARTIFACTS}/${pipelineName(workflow).slice(0, 20)}/`;
  return [
    below(artifacts, both, "The artifacts of this pipeline, in whose keys CodePipeline puts random names."),
    below(`${artifacts}Built/`, [`${wf}/Build`], "The build's own output, in whose keys CodePipeline puts random names."),
    below(folder(PREFIXES.definitions), both, "This workflow's definitions, named by digest."),
    below(folder(PREFIXES.evidence), both, "This workflow's evidence, a folder for each version."),
    below(folder(PREFIXES.imageSources), [`${wf}/Build`], "This workflow's image sources, named by digest."),
    below(
      folder(PREFIXES.testData),
      both,
      "This workflow's test data, a folder for each version; promotion hands on what a smoke run needs.",
    ),
  ];
}

/** What test runs and builds of images of all workflows read and write. */
function sharedArtifacts({ cicd }: Reviewed): readonly Acknowledgement[] {
  const folder = (prefix: string): string => `arn:aws:s3:::${artifactsBucket(cicd.account, cicd.region)}/${prefix}/`;
  return [
    below(folder(PREFIXES.testData), ["omx-cicd/RunRole"], "Test runs read the data of the tests, a folder for each version."),
    below(
      folder(PREFIXES.testOutputs),
      ["omx-cicd/RunRole", "omx-cicd/Judge"],
      "Test runs write a folder for each run, whose name HealthOmics makes; the judge reads it.",
    ),
    below(folder(PREFIXES.evidence), ["omx-cicd/Judge"], "The judge writes what it found for every workflow, a folder for each version."),
    below(
      folder(PREFIXES.imageSources),
      ["omx-containers/BuildImage", "omx-containers/ImageBuild"],
      "Sources of images to build, named by the digest of their content.",
    ),
  ];
}

function toolkits(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production, toolkitKey } = reviewed;
  const { wf, prod } = paths(reviewed);
  const toolkit = ({ account, region }: Place, at: readonly string[]): Acknowledgement =>
    below(
      `arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-${account}-${region}/${toolkitKey}`,
      at,
      "One object, named by the digest of its content; nothing else begins with that name.",
    );
  return [
    toolkit(cicd, ["omx-containers/ImageBuild", "omx-containers/ImagePull", `${wf}/Checks`]),
    toolkit(production, [`${prod}/Release`]),
  ];
}

/** What arrives in production, and the runs of released versions. */
function bundles(reviewed: Reviewed): readonly Acknowledgement[] {
  const { production, workflow } = reviewed;
  const { wf, prod } = paths(reviewed);
  const releases = `arn:aws:s3:::${releasesBucket(production.account, production.region)}`;
  return [
    below(`${releases}/${workflow}/`, [`${wf}/Promote`], "This workflow's bundles, a folder for each version."),
    below(
      `${releases}/`,
      [`${prod}/Verify`, `${prod}/Release`],
      "The bundles of all workflows arrive here, and results are written beside them.",
    ),
    below(`${releases}/data/`, [`${prod}/RunRole`], "What runs of released versions may read."),
    below(`${releases}/*/smoke/`, [`${prod}/RunRole`], "The data of smoke runs, beside the bundle it came with."),
    below(`${releases}/runs/`, [`${prod}/RunRole`], "Where runs of released versions write, a folder for each run."),
  ];
}

function namesToCome(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production } = reviewed;
  const { wf } = paths(reviewed);
  return [
    ...repositoriesToCome(reviewed),
    ...idsToCome(reviewed),
    ...executionsToCome(reviewed),
    {
      finding: resource(`arn:aws:codepipeline:${within(cicd)}:omx-*`),
      at: ["omx-cicd/ApprovalReader"],
      reason: "Production asks for the approval of any workflow's pipeline; reading only.",
    },
    {
      finding: resource(`arn:aws:kms:${within(production)}:key/*`),
      at: [`${wf}/Promote`],
      reason:
        "The production key's id is made after this role; its policy lets promotion roles in, and the condition allows it through S3 alone.",
    },
  ];
}

/** Runs, caches, tasks and workflows, whose ids HealthOmics makes. */
function idsToCome(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production } = reviewed;
  const { wf, prod } = paths(reviewed);
  const omics = (place: Place, kind: string): string => resource(`arn:aws:omics:${within(place)}:${kind}/*`);
  const workflowId = "A workflow's id is made by HealthOmics with the first release.";
  return [
    {
      finding: omics(cicd, "run"),
      at: ["omx-cicd/Judge", "omx-cicd/TestRun"],
      reason: "A run's id is made by HealthOmics when it starts.",
    },
    {
      finding: omics(cicd, "runCache"),
      at: ["omx-cicd/TestRun"],
      reason: "Which run cache a test uses is said by the workflow's omx.yaml.",
    },
    { finding: omics(production, "run"), at: [`${prod}/Release`], reason: "The id of a smoke run is made by HealthOmics when it starts." },
    { finding: omics(cicd, "task"), at: ["omx-cicd/Judge"], reason: "A task's id is made by HealthOmics when it starts." },
    { finding: omics(cicd, "workflow"), at: ["omx-cicd/TestRun", `${wf}/Build`], reason: workflowId },
    { finding: omics(production, "workflow"), at: [`${prod}/Release`], reason: workflowId },
  ];
}

/** Executions of state machines, which are named when they start. */
function executionsToCome(reviewed: Reviewed): readonly Acknowledgement[] {
  const { wf } = paths(reviewed);
  const executions = (machine: string): string => resource(`arn:aws:states:${within(reviewed.cicd)}:execution:${machine}:*`);
  const named = "The name of an execution holds the commit it is for.";
  return [
    { finding: executions("omx-container-builder"), at: [`${wf}/Build`], reason: named },
    { finding: executions("omx-container-puller"), at: [`${wf}/Build`], reason: named },
    {
      finding: executions("omx-test-run"),
      at: [`${wf}/Pipeline/Test/Test/CodePipelineActionRole`],
      reason: "CodePipeline names the executions it starts.",
    },
  ];
}

const STAGING = ["PullImage", "BuildImage", "ImageBuild", "ImagePull", "RepositoryPolicy"].map((id) => `omx-containers/${id}`);

/** Repositories, which are named by what definitions use. */
function repositoriesToCome(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production } = reviewed;
  const { wf, prod } = paths(reviewed);
  return [
    {
      finding: resource(`arn:aws:ecr:${within(production)}:repository/*`),
      at: [`${prod}/Release`],
      reason:
        "Images that are promoted by copy go to repositories named as in cicd; making them and setting their policies is allowed with our tag alone.",
    },
    {
      finding: resource(`arn:aws:ecr:${within(cicd)}:repository/*`),
      at: [...STAGING, `${wf}/Build`, `${wf}/Promote`, `${prod}/Release`],
      reason:
        "Repositories are named by the images that definitions use; making them and setting their policies is allowed with our tag alone.",
    },
    {
      finding: resource(`arn:aws:ecr:${cicd.region}:*:repository/*`),
      at: ["omx-cicd/RunRole", `${prod}/RunRole`],
      reason:
        "A definition may name images of any account whose repository lets this one read: reading needs that repository's policy as well.",
    },
  ];
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
