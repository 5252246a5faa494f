import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { BuildSpec, LinuxBuildImage, PipelineProject, Project, Source } from "aws-cdk-lib/aws-codebuild";
import { Code, Repository } from "aws-cdk-lib/aws-codecommit";
import { Artifact, ExecutionMode, Pipeline, PipelineType, Variable } from "aws-cdk-lib/aws-codepipeline";
import {
  CodeBuildAction,
  CodeCommitSourceAction,
  CodeCommitTrigger,
  LambdaInvokeAction,
  ManualApprovalAction,
  StateMachineInput,
  StepFunctionInvokeAction,
} from "aws-cdk-lib/aws-codepipeline-actions";
import { Repository as ImageRepository, TagMutability } from "aws-cdk-lib/aws-ecr";
import { CodeBuildProject } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Code as FunctionCode, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { Bucket, type IBucket } from "aws-cdk-lib/aws-s3";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { DefinitionBody, Pass, StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { join } from "node:path";

/** A repository whose pushes are built, looked at, approved and told about; pull requests are checked by a build of their own. */
export class Ci extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const repository = new Repository(this, "Code", {
      repositoryName: "code",
      code: Code.fromDirectory(join(import.meta.dirname, "repository"), "main"),
    });
    const images = new ImageRepository(this, "Images", {
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE,
      lifecycleRules: [{ maxImageCount: 5 }],
      removalPolicy: RemovalPolicy.DESTROY,
      emptyOnDelete: true,
    });
    const buildSpec = BuildSpec.fromObject({
      version: "0.2",
      env: { "exported-variables": ["LINES"] },
      phases: {
        build: {
          commands: [
            "export LINES=$(wc -l < main.wdl)",
            'test -n "$REPOSITORY_URI"',
            "mkdir -p out && echo '{\"lines\": '$LINES'}' > out/input.json",
          ],
        },
      },
      artifacts: { "base-directory": "out", files: ["**/*"] },
    });
    const project = new PipelineProject(this, "Build", {
      buildSpec,
      environment: { buildImage: LinuxBuildImage.STANDARD_7_0, privileged: true },
      environmentVariables: { REPOSITORY_URI: { value: images.repositoryUri } },
      timeout: Duration.minutes(10),
    });
    images.grantPullPush(project);

    const [source, built] = [new Artifact("Source"), new Artifact("Built")];
    const machine = new StateMachine(this, "Machine", { definitionBody: DefinitionBody.fromChainable(new Pass(this, "Take")) });
    const told = new Function(this, "Told", {
      runtime: Runtime.NODEJS_22_X,
      handler: "index.handler",
      timeout: Duration.minutes(1),
      code: FunctionCode.fromInline(`const { CodePipelineClient, PutJobSuccessResultCommand } = require("@aws-sdk/client-codepipeline");
exports.handler = async (event) => { await new CodePipelineClient().send(new PutJobSuccessResultCommand({ jobId: event["CodePipeline.job"].id })); };`),
    });
    told.addToRolePolicy(new PolicyStatement({ actions: ["codepipeline:PutJobSuccessResult"], resources: ["*"] }));
    const topic = new Topic(this, "Approvals");
    topic.addSubscription(new EmailSubscription("approver@example.org"));
    const bucket = new Bucket(this, "Artifacts", { autoDeleteObjects: true, removalPolicy: RemovalPolicy.DESTROY, enforceSSL: true });
    const level = new Variable({ variableName: "level", defaultValue: "low", description: "how much" });
    const build = new CodeBuildAction({
      actionName: "Build",
      project,
      input: source,
      outputs: [built],
      variablesNamespace: "Built",
      environmentVariables: { LEVEL: { value: level.reference() } },
    });
    const commit = new CodeCommitSourceAction({
      actionName: "Commit",
      repository,
      branch: "main",
      output: source,
      trigger: CodeCommitTrigger.EVENTS,
    });
    const pipeline = new Pipeline(this, "Pipeline", {
      pipelineType: PipelineType.V2,
      executionMode: ExecutionMode.QUEUED,
      artifactBucket: bucket as IBucket,
      variables: [level],
      stages: [
        { stageName: "Source", actions: [commit] },
        { stageName: "Build", actions: [build] },
        {
          stageName: "Look",
          actions: [
            new StepFunctionInvokeAction({
              actionName: "Machine",
              stateMachine: machine,
              stateMachineInput: StateMachineInput.filePath(built.atPath("input.json")),
            }),
            new LambdaInvokeAction({
              actionName: "Tell",
              lambda: told,
              userParameters: { lines: build.variable("LINES"), commit: commit.variables.commitId },
            }),
          ],
        },
        {
          stageName: "Approve",
          actions: [
            new ManualApprovalAction({
              actionName: "Ask",
              notificationTopic: topic,
              additionalInformation: `${build.variable("LINES")} lines`,
            }),
          ],
        },
      ],
    });

    const checks = new Project(this, "Checks", {
      source: Source.codeCommit({ repository }),
      buildSpec: BuildSpec.fromObject({ version: "0.2", phases: { build: { commands: ["test -s main.wdl"] } } }),
      environment: { buildImage: LinuxBuildImage.STANDARD_7_0 },
    });
    repository.onPullRequestStateChange("Asked", { target: new CodeBuildProject(checks) });
    new CfnOutput(this, "PipelineName", { value: pipeline.pipelineName });
    new CfnOutput(this, "ChecksName", { value: checks.projectName });
  }
}
