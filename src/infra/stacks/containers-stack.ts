import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { Source } from "aws-cdk-lib/aws-codebuild";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type { Construct } from "constructs";
import { builderDefinition, pullerDefinition } from "../../release/images/state-machines.ts";
import { NAMES, PREFIXES } from "../../release/names.ts";
import { BuildProject, toolkitBuildSpec } from "../constructs/build-project.ts";
import { HandlerFunction } from "../constructs/handler-function.ts";
import { DefinedStateMachine } from "../constructs/state-machine.ts";
import { type AppContext, artifactsOf, bucketArn, projectArn, settingsOf } from "../context.ts";
import { foreignImages, readObjects, repositoryPolicies, stageImages, statement, useKey } from "../policies.ts";

export interface ContainersStackProps extends StackProps {
  readonly context: AppContext;
  readonly key: IKey;
}

/** `omx-container-puller` and `omx-container-builder`, and the function that opens new repositories to HealthOmics. */
export class ContainersStack extends Stack {
  constructor(scope: Construct, id: string, { context, key, ...props }: ContainersStackProps) {
    super(scope, id, props);
    const { cicd, containers } = context.config;
    const environment = { OMX_DEPLOYMENT: settingsOf(context) };
    const code = context.bundles.functions;

    const plan = new HandlerFunction(this, "PlanImages", { name: "omx-plan-images", handler: "plan-images", code, environment, statements: [] });
    const pull = new HandlerFunction(this, "PullImage", {
      name: "omx-pull-image", handler: "pull-image", code, environment, timeout: Duration.minutes(15), memorySize: 1024,
      statements: [...stageImages(cicd), ...foreignImages(containers.sourceAccounts, containers.crossRegion ? "*" : cicd.region)],
    });
    new DefinedStateMachine(this, "Puller", {
      name: NAMES.puller,
      definition: pullerDefinition(),
      substitutions: { PlanImages: plan.function.functionArn, PullImage: pull.function.functionArn },
      statements: [statement("Functions", ["lambda:InvokeFunction"], [plan.function.functionArn, pull.function.functionArn])],
    });

    const sources = [`s3://${artifactsOf(context)}/${PREFIXES.imageSources}/`, ...containers.builderSources];
    const build = new HandlerFunction(this, "BuildImage", {
      name: "omx-build-image", handler: "build-image", code, environment, timeout: Duration.minutes(15), memorySize: 1024,
      statements: [...stageImages(cicd), ...readSources(sources), useKey("Key", key.keyArn, ["read"])],
    });
    const engine = this.imageBuild(context, key, sources);
    new DefinedStateMachine(this, "Builder", {
      name: NAMES.builder,
      definition: builderDefinition(),
      substitutions: { BuildImage: build.function.functionArn, ImageBuildProject: engine.project.projectName },
      statements: [
        statement("Functions", ["lambda:InvokeFunction"], [build.function.functionArn]),
        statement("Builds", ["codebuild:StartBuild", "codebuild:StopBuild", "codebuild:BatchGetBuilds"], [projectArn(cicd, NAMES.imageBuildProject)]),
        // How Step Functions follows a build (stepfunctions/latest/dg/connect-codebuild.html).
        statement("Follow", ["events:PutTargets", "events:PutRule", "events:DescribeRule"], [`arn:aws:events:${cicd.region}:${cicd.account}:rule/StepFunctionsGetEventForCodeBuildStartBuildRule`]),
      ],
    });
    this.openNewRepositories(context);
  }

  /** Where a Dockerfile with RUN is built: by the engine of a privileged build. */
  private imageBuild(context: AppContext, key: IKey, sources: readonly string[]): BuildProject {
    const toolkit = new Asset(this, "Toolkit", { path: context.bundles.toolkit });
    return new BuildProject(this, "ImageBuild", {
      name: NAMES.imageBuildProject,
      description: "Builds images whose Dockerfile runs commands",
      key,
      privileged: true,
      source: Source.s3({ bucket: toolkit.bucket, path: toolkit.s3ObjectKey }),
      environment: { OMX_DEPLOYMENT: settingsOf(context) },
      statements: [
        ...readObjects("Toolkit", toolkit.bucket.bucketArn, [toolkit.s3ObjectKey]),
        ...stageImages(context.config.cicd), ...readSources(sources), useKey("Key", key.keyArn, ["read"]),
      ],
      buildSpec: toolkitBuildSpec("$CODEBUILD_SRC_DIR", "image-build"),
    });
  }

  /** A repository made by us is opened to HealthOmics when it appears; staging checks it again before it reports done. */
  private openNewRepositories(context: AppContext): void {
    const policy = new HandlerFunction(this, "RepositoryPolicy", {
      name: "omx-repository-policy", handler: "repository-policy", code: context.bundles.functions,
      environment: { OMX_DEPLOYMENT: settingsOf(context) }, statements: repositoryPolicies(context.config.cicd),
    });
    new Rule(this, "NewRepository", {
      ruleName: "omx-new-repository",
      description: "A repository was created: let HealthOmics read it",
      eventPattern: { source: ["aws.ecr"], detail: { eventSource: ["ecr.amazonaws.com"], eventName: ["CreateRepository"], errorCode: [{ exists: false }] } as Record<string, unknown[]> },
      targets: [new LambdaFunction(policy.function, { retryAttempts: 8, maxEventAge: Duration.hours(2) })],
    });
  }
}

const readSources = (uris: readonly string[]) =>
  uris.flatMap((uri, index) => {
    const [bucket = "", ...prefix] = uri.slice("s3://".length).split("/");
    return readObjects(`Source${index}`, bucketArn(bucket), [prefix.join("/")]);
  });
