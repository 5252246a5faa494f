import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { Source } from "aws-cdk-lib/aws-codebuild";
import { type IRepository, Repository } from "aws-cdk-lib/aws-codecommit";
import { Artifact, ExecutionMode, type IAction, Pipeline, PipelineType } from "aws-cdk-lib/aws-codepipeline";
import {
  CodeBuildAction,
  ManualApprovalAction,
  S3SourceAction,
  S3Trigger,
  StateMachineInput,
  StepFunctionInvokeAction,
} from "aws-cdk-lib/aws-codepipeline-actions";
import { EventField, Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { CodeBuildProject } from "aws-cdk-lib/aws-events-targets";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Bucket, IBucket } from "aws-cdk-lib/aws-s3";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { NAMES, pipelineName, PREFIXES, projectName, releasesBucket, roleName } from "../../release/names.ts";
import type { DeployConfig } from "../../release/project/deploy-config.ts";
import { BuildProject, releaseBuildSpec, toolkitBuildSpec } from "../constructs/build-project.ts";
import { keeping } from "../constructs/data-bucket.ts";
import { importedWorkflow } from "../constructs/one-deployment.ts";
import { pipelineSource } from "../constructs/pipeline-source.ts";
import { type AppContext, bucketArn, executionArn, machineArn, settingsOf, testPlace } from "../context.ts";
import { publishWorkflows, readObjects, repositoryPolicies, statement, useKey, writeObjects } from "../policies.ts";

export interface WorkflowStackProps extends StackProps {
  readonly context: AppContext;
  readonly workflow: string;
  readonly key: IKey;
  readonly bucket: Bucket;
  readonly topic: ITopic;
}

/** The artifact of the Build stage; ten characters at most. */
const BUILT = "Built";

type WorkflowConfig = DeployConfig["workflows"][string];

/** One workflow's repository, its checks on pull requests and its pipeline from a push to the promotion. */
export class WorkflowStack extends Stack {
  private readonly context: AppContext;
  private readonly workflow: string;
  private readonly workflowConfig: WorkflowConfig;
  private readonly key: IKey;
  private readonly bucket: Bucket;
  private readonly toolkit: Asset;

  constructor(scope: Construct, id: string, { context, workflow, key, bucket, topic, ...props }: WorkflowStackProps) {
    super(scope, id, props);
    const found = context.config.workflows[workflow];
    if (!found) throw new Error(`omx.deploy.yaml has no workflow ${workflow}`);
    this.context = context;
    this.workflow = workflow;
    this.workflowConfig = found;
    this.key = key;
    this.bucket = bucket;
    this.toolkit = new Asset(this, "Toolkit", { path: context.bundles.toolkit });
    const repository =
      found.source === "codecommit"
        ? new Repository(this, "Repository", {
            repositoryName: found.repository ?? workflow,
            description: `The workflow ${workflow}, released by omx`,
          })
        : undefined;
    // The history of a workflow outlives its pipeline.
    if (context.config.keepData) repository?.applyRemovalPolicy(keeping(true));
    if (repository) this.checks(repository);
    this.pipeline(repository, topic);
  }

  private pipeline(repository: IRepository | undefined, topic: ITopic): void {
    const source = new Artifact("Source");
    const toolkit = new Artifact("Toolkit");
    const built = new Artifact(BUILT);
    const build = this.build(repository);
    const promote = this.promote();
    const pipeline = new Pipeline(this, "Pipeline", {
      pipelineName: pipelineName(this.workflow),
      pipelineType: PipelineType.V2,
      executionMode: ExecutionMode.QUEUED,
      artifactBucket: this.bucket as unknown as IBucket,
      restartExecutionOnUpdate: false,
    });
    const push = pipelineSource(this, { workflow: this.workflowConfig, repository, output: source, pipelineRole: pipeline.role });
    const environmentVariables = {
      OMX_COMMIT: { value: push.variable("CommitId") },
      OMX_BRANCH: { value: push.variable("BranchName") },
      OMX_EXECUTION: { value: "#{codepipeline.PipelineExecutionId}" },
    };
    const stage = (stageName: string, ...actions: IAction[]): void => void pipeline.addStage({ stageName, actions });
    stage("Source", push.action, this.toolkitAction(toolkit));
    const building = { project: build.project, input: source, extraInputs: [toolkit], outputs: [built], environmentVariables };
    stage(NAMES.buildStage, new CodeBuildAction({ actionName: NAMES.buildAction, variablesNamespace: NAMES.buildAction, ...building }));
    stage("Test", this.testAction(built));
    stage(NAMES.approvalStage, this.approvalAction(topic));
    stage(
      "Promote",
      new CodeBuildAction({ actionName: "Promote", project: promote.project, input: built, extraInputs: [toolkit], environmentVariables }),
    );
  }

  private toolkitAction(output: Artifact): IAction {
    return new S3SourceAction({
      actionName: "Toolkit",
      bucket: this.toolkit.bucket,
      bucketKey: this.toolkit.s3ObjectKey,
      output,
      trigger: S3Trigger.NONE,
    });
  }

  private testAction(built: Artifact): IAction {
    const stateMachine = StateMachine.fromStateMachineArn(this, "TestRun", machineArn(testPlace(this.context), NAMES.testRun));
    return new StepFunctionInvokeAction({
      actionName: "Test",
      stateMachine,
      stateMachineInput: StateMachineInput.filePath(built.atPath("test-run.json")),
    });
  }

  private approvalAction(notificationTopic: ITopic): IAction {
    const { consoleUrl } = this.context.config;
    return new ManualApprovalAction({
      actionName: NAMES.approvalAction,
      notificationTopic,
      additionalInformation: `A new version of ${this.workflow} passed its tests. Look at the evidence, then approve or reject.`,
      ...(consoleUrl && { externalEntityLink: `${consoleUrl}/releases/${this.workflow}/#{codepipeline.PipelineExecutionId}` }),
    });
  }

  /** Checks, stages images, packages, creates the version, stages test data. */
  private build(repository: IRepository | undefined): BuildProject {
    const { cicd, containers } = this.context.config;
    const place = testPlace(this.context);
    const bucket = this.bucket.bucketArn;
    const wf = this.workflow;
    const staged = [PREFIXES.testData, PREFIXES.definitions, PREFIXES.imageSources, PREFIXES.evidence].map((prefix) => `${prefix}/${wf}/`);
    return new BuildProject(this, "Build", {
      name: projectName(wf, "build"),
      description: `Builds a release of ${wf}`,
      key: this.key,
      environment: {
        OMX_DEPLOYMENT: settingsOf(this.context),
        OMX_WORKFLOW: wf,
        ...(repository && { OMX_REPOSITORY: repository.repositoryName }),
      },
      timeout: Duration.hours(releaseBuildHours(containers.buildHours)),
      buildSpec: releaseBuildSpec("$CODEBUILD_SRC_DIR_Toolkit"),
      statements: [
        ...this.artifactAccess(),
        writeObjects("NewArtifacts", bucket, [`${this.artifacts}${BUILT}/`]),
        writeObjects("Stage", bucket, staged),
        ...readObjects("Staged", bucket, staged),
        ...publishWorkflows(place),
        statement("StageImages", ["states:StartExecution"], [machineArn(cicd, NAMES.puller), machineArn(cicd, NAMES.builder)]),
        statement(
          "FollowStaging",
          ["states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"],
          [executionArn(cicd, NAMES.puller), executionArn(cicd, NAMES.builder)],
        ),
        statement(
          "CheckImages",
          ["ecr:DescribeImages", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy"],
          [`arn:aws:ecr:${cicd.region}:${cicd.account}:repository/*`],
        ),
        statement("RegistryToken", ["ecr:GetAuthorizationToken"], ["*"]),
        statement("Trigger", ["codepipeline:GetPipelineExecution"], [this.pipelineArn()]),
        ...(repository ? [statement("Author", ["codecommit:GetCommit"], [repository.repositoryArn])] : []),
      ],
    });
  }

  /** After the approval: opens the repositories to production and hands the bundle over. Nothing else may write there. */
  private promote(): BuildProject {
    const { production, cicd } = this.context.config;
    const targets = production.map(({ account, region }) => bucketArn(releasesBucket(account, region)));
    return new BuildProject(this, "Promote", {
      name: projectName(this.workflow, "promote"),
      roleName: roleName(`${NAMES.promoteRole}-${this.workflow}`, cicd.region),
      description: `Promotes an approved release of ${this.workflow}`,
      key: this.key,
      environment: { OMX_DEPLOYMENT: settingsOf(this.context), OMX_WORKFLOW: importedWorkflow(this.workflow) },
      timeout: Duration.hours(2),
      buildSpec: toolkitBuildSpec("$CODEBUILD_SRC_DIR_Toolkit", "promote"),
      statements: [
        ...this.artifactAccess(),
        ...repositoryPolicies(cicd),
        statement(
          "Approval",
          ["codepipeline:ListActionExecutions", "codepipeline:GetPipelineExecution", "codepipeline:GetPipelineState"],
          [this.pipelineArn()],
        ),
        ...readObjects("Evidence", this.bucket.bucketArn, [
          `${PREFIXES.evidence}/${this.workflow}/`,
          `${PREFIXES.definitions}/${this.workflow}/`,
          `${PREFIXES.testData}/${this.workflow}/`,
        ]),
        writeObjects("Record", this.bucket.bucketArn, [`${PREFIXES.evidence}/${this.workflow}/`]),
        writeObjects("HandOver", targets, [`${this.workflow}/`]),
        ...readObjects("FollowRelease", targets, [`${this.workflow}/`]),
        statement(
          "ReleaseKeys",
          ["kms:GenerateDataKey", "kms:Decrypt"],
          production.map(({ account, region }) => `arn:aws:kms:${region}:${account}:key/*`),
          { StringLike: { "kms:ViaService": "s3.*.amazonaws.com" } },
        ),
      ],
    });
  }

  /** A pull request runs the checks alone and gets a comment. */
  private checks(repository: Repository): void {
    const checks = new BuildProject(this, "Checks", {
      name: projectName(this.workflow, "checks"),
      description: `Checks pull requests of ${this.workflow}`,
      key: this.key,
      source: Source.codeCommit({ repository }),
      secondarySources: [Source.s3({ identifier: "Toolkit", bucket: this.toolkit.bucket, path: this.toolkit.s3ObjectKey })],
      environment: { OMX_DEPLOYMENT: settingsOf(this.context), OMX_WORKFLOW: this.workflow },
      timeout: Duration.minutes(15),
      buildSpec: toolkitBuildSpec("$CODEBUILD_SRC_DIR_Toolkit", "check"),
      statements: [
        ...readObjects("Toolkit", this.toolkit.bucket.bucketArn, [this.toolkit.s3ObjectKey]),
        statement("Source", ["codecommit:GitPull"], [repository.repositoryArn]),
        statement("Comment", ["codecommit:PostCommentForPullRequest", "codecommit:GetPullRequest"], [repository.repositoryArn]),
      ],
    });
    new Rule(this, "PullRequests", {
      ruleName: `omx-${this.workflow}-pull-requests`,
      description: `A pull request of ${this.workflow} was opened or changed: check it`,
      eventPattern: {
        source: ["aws.codecommit"],
        detailType: ["CodeCommit Pull Request State Change"],
        resources: [repository.repositoryArn],
        detail: { event: ["pullRequestCreated", "pullRequestSourceBranchUpdated"], pullRequestStatus: ["Open"] },
      },
      targets: [
        new CodeBuildProject(checks.project, {
          event: RuleTargetInput.fromObject({
            sourceVersion: EventField.fromPath("$.detail.sourceCommit"),
            environmentVariablesOverride: [
              { name: "OMX_PULL_REQUEST", value: EventField.fromPath("$.detail.pullRequestId"), type: "PLAINTEXT" },
              { name: "OMX_REPOSITORY", value: repository.repositoryName, type: "PLAINTEXT" },
              { name: "OMX_COMMIT", value: EventField.fromPath("$.detail.sourceCommit"), type: "PLAINTEXT" },
              { name: "OMX_BASE_COMMIT", value: EventField.fromPath("$.detail.destinationCommit"), type: "PLAINTEXT" },
            ],
          }),
        }),
      ],
    });
  }

  /** Read the pipeline's artifacts: what CodeBuild itself needs in a pipeline. What it writes is its own output alone, and never the toolkit. */
  private artifactAccess(): PolicyStatement[] {
    return [...readObjects("Artifacts", this.bucket.bucketArn, [this.artifacts]), useKey("Key", this.key.keyArn, ["read", "write"])];
  }

  /** CodePipeline shortens a pipeline's name to 20 characters in the keys of its artifacts, and the artifact's, which follows, to 10. */
  private get artifacts(): string {
    return `${pipelineName(this.workflow).slice(0, 20)}/`;
  }

  private readonly pipelineArn = (): string =>
    `arn:aws:codepipeline:${this.context.config.cicd.region}:${this.context.config.cicd.account}:${pipelineName(this.workflow)}`;
}

// codepipeline/latest/userguide/limits.html: an action of CodeBuild ends then, whatever its project says.
const LONGEST_ACTION_HOURS = 8;

/** A release waits for the images that it builds, and has its own work besides. */
const releaseBuildHours = (imageHours: number): number => Math.min(LONGEST_ACTION_HOURS, Math.max(4, imageHours + 2));
