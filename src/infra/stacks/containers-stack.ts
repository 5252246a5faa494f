import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { ComputeType, Source } from "aws-cdk-lib/aws-codebuild";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type { Construct } from "constructs";
import { RESULT_VARIABLE } from "../../release/images/after-build.ts";
import { builderDefinition, pullerDefinition } from "../../release/images/state-machines.ts";
import { keyIn } from "../../release/images/repositories/repository-settings.ts";
import { NAMES, PREFIXES } from "../../release/names.ts";
import type { Place } from "../../release/project/deploy-config.ts";
import { BuildProject, INSTALL_NODE, toolkitBuildSpec } from "../constructs/build-project.ts";
import { HandlerFunction } from "../constructs/handler-function.ts";
import { cachedPrefixes, PullThrough } from "../constructs/pull-through.ts";
import { DefinedStateMachine } from "../constructs/state-machine.ts";
import { type AppContext, artifactsOf, settingsOf } from "../context.ts";
import {
  foreignImages,
  pullThroughImages,
  readObjects,
  readSecrets,
  readSources,
  repositoryPolicies,
  stageImages,
  statement,
  useKey,
} from "../policies.ts";

export interface ContainersStackProps extends StackProps {
  readonly context: AppContext;
  readonly key: IKey;
}

/** `omx-container-puller` and `omx-container-builder`, and the function that opens new repositories to HealthOmics. */
export class ContainersStack extends Stack {
  constructor(scope: Construct, id: string, { context, key, ...props }: ContainersStackProps) {
    super(scope, id, props);
    const { cicd, containers } = context.config;
    const staging: Staging = {
      context,
      key,
      plan: new HandlerFunction(this, "PlanImages", {
        name: "omx-plan-images",
        handler: "plan-images",
        code: context.bundles.functions,
        environment: { OMX_DEPLOYMENT: settingsOf(context) },
        statements: [],
      }),
      toolkit: new Asset(this, "Toolkit", { path: context.bundles.toolkit }),
      reading: [
        ...stageImages(cicd, keyIn(containers.repositories, cicd)),
        ...foreignImages(cicd, containers),
        ...readSecrets(Object.values(containers.credentials)),
      ],
    };
    this.puller(staging);
    this.builder(staging);
    if (containers.pullThrough.length > 0) new PullThrough(this, "PullThrough", { place: cicd, containers });
    this.openNewRepositories(context);
  }

  private puller({ context, key, plan, toolkit, reading }: Staging): void {
    const { cicd, containers } = context.config;
    const pull = new HandlerFunction(this, "PullImage", {
      name: "omx-pull-image",
      handler: "pull-image",
      code: context.bundles.functions,
      environment: { OMX_DEPLOYMENT: settingsOf(context), ...LONG_COPIES },
      timeout: Duration.minutes(15),
      memorySize: 1536,
      statements: [...reading, ...pullThroughImages(cicd, cachedPrefixes(containers)), readLog(cicd, NAMES.imagePullProject)],
    });
    const pullBuild = this.build("ImagePull", { context, key, toolkit, name: NAMES.imagePullProject, statements: reading });
    this.machine("Puller", context, {
      name: NAMES.puller,
      definition: pullerDefinition(),
      functions: { PlanImages: plan, PullImage: pull },
      project: { ImagePullProject: pullBuild },
    });
  }

  private builder({ context, key, plan, toolkit, reading }: Staging): void {
    const { cicd, containers } = context.config;
    const sources = [`s3://${artifactsOf(context)}/${PREFIXES.imageSources}/`, ...containers.builderSources];
    // The base of an image that is built is read from where images are pulled from.
    const building = [...reading, ...readSources(sources), useKey("Key", key.keyArn, ["read"])];
    const build = new HandlerFunction(this, "BuildImage", {
      name: "omx-build-image",
      handler: "build-image",
      code: context.bundles.functions,
      environment: { OMX_DEPLOYMENT: settingsOf(context) },
      timeout: Duration.minutes(15),
      memorySize: 1536,
      storageGiB: 6,
      statements: [...building, readLog(cicd, NAMES.imageBuildProject)],
    });
    const engine = this.build("ImageBuild", { context, key, toolkit, name: NAMES.imageBuildProject, statements: building });
    this.machine("Builder", context, {
      name: NAMES.builder,
      definition: builderDefinition(context.config.containers.buildHours),
      functions: { PlanImages: plan, BuildImage: build },
      project: { ImageBuildProject: engine },
    });
  }

  /** What a function has no time, no disk or no engine for. */
  private build(id: "ImagePull" | "ImageBuild", { context, key, toolkit, name, statements }: BuildParts): BuildProject {
    const isPull = id === "ImagePull";
    const environment = { OMX_DEPLOYMENT: settingsOf(context) };
    return new BuildProject(this, id, {
      name,
      key,
      environment,
      description: isPull
        ? "Copies images that are too large for a function"
        : "Builds images whose Dockerfile runs commands, and those that are too large for a function",
      // An engine in a build is a daemon of its own.
      privileged: !isPull,
      timeout: Duration.hours(isPull ? 8 : context.config.containers.buildHours),
      // 8 GiB and 128 GB (userguide/build-env-ref-compute-types.html): environments are solved in memory, and an image of several platforms is on the disk twice.
      computeType: isPull ? ComputeType.SMALL : ComputeType.MEDIUM,
      source: Source.s3({ bucket: toolkit.bucket, path: toolkit.s3ObjectKey }),
      statements: [...readObjects("Toolkit", toolkit.bucket.bucketArn, [toolkit.s3ObjectKey]), ...statements],
      buildSpec: imageBuildSpec(isPull ? "image-pull" : "image-build"),
    });
  }

  private machine(id: string, { config: { cicd } }: AppContext, { name, definition, functions, project }: MachineParts): void {
    const arns = Object.entries(functions).map(([key, { function: one }]): [string, string] => [key, one.functionArn]);
    new DefinedStateMachine(this, id, {
      name,
      definition,
      substitutions: {
        ...Object.fromEntries(arns),
        ...Object.fromEntries(Object.entries(project).map(([key, one]) => [key, one.project.projectName])),
      },
      statements: [
        statement(
          "Functions",
          ["lambda:InvokeFunction"],
          arns.map(([, arn]) => arn),
        ),
        statement(
          "Builds",
          ["codebuild:StartBuild", "codebuild:StopBuild", "codebuild:BatchGetBuilds"],
          Object.values(project).map((one) => one.project.projectArn),
        ),
        // How Step Functions follows a build (stepfunctions/latest/dg/connect-codebuild.html).
        statement(
          "Follow",
          ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
          [`arn:aws:events:${cicd.region}:${cicd.account}:rule/StepFunctionsGetEventForCodeBuildStartBuildRule`],
        ),
      ],
    });
  }

  /** A repository made by us is opened to HealthOmics when it appears; staging checks it again before it reports done. */
  private openNewRepositories(context: AppContext): void {
    const policy = new HandlerFunction(this, "RepositoryPolicy", {
      name: "omx-repository-policy",
      handler: "repository-policy",
      code: context.bundles.functions,
      environment: { OMX_DEPLOYMENT: settingsOf(context) },
      statements: repositoryPolicies(context.config.cicd),
    });
    new Rule(this, "NewRepository", {
      ruleName: "omx-new-repository",
      description: "A repository was created: let HealthOmics read it",
      eventPattern: {
        source: ["aws.ecr"],
        detail: { eventSource: ["ecr.amazonaws.com"], eventName: ["CreateRepository"], errorCode: [{ exists: false }] } as Record<
          string,
          unknown[]
        >,
      },
      targets: [new LambdaFunction(policy.function, { retryAttempts: 8, maxEventAge: Duration.hours(2) })],
    });
  }
}

/** What puller and builder share. */
interface Staging {
  readonly context: AppContext;
  readonly key: IKey;
  readonly plan: HandlerFunction;
  readonly toolkit: Asset;
  /** What who reads images from anywhere and stores them may do. */
  readonly reading: readonly PolicyStatement[];
}

interface BuildParts extends Pick<Staging, "context" | "key" | "toolkit"> {
  readonly name: string;
  readonly statements: readonly PolicyStatement[];
}

interface MachineParts {
  readonly name: string;
  readonly definition: object;
  readonly functions: Readonly<Record<string, HandlerFunction>>;
  readonly project: Readonly<Record<string, BuildProject>>;
}

// Chunks of layers die young: a larger young generation spares their promotion.
const LONG_COPIES = { NODE_OPTIONS: "--max-semi-space-size=32" };

/** The last line that the command prints is its result. A failure must not hide behind the export. */
const imageBuildSpec = (command: "image-pull" | "image-build"): object => ({
  ...toolkitBuildSpec("$CODEBUILD_SRC_DIR", command),
  env: { shell: "bash", "exported-variables": [RESULT_VARIABLE] },
  phases: {
    install: INSTALL_NODE,
    build: {
      commands: [
        `set -o pipefail; ${RESULT_VARIABLE}="$(node --max-semi-space-size=32 "$CODEBUILD_SRC_DIR/omx-ci.mjs" ${command} | tail -n 1)" && export ${RESULT_VARIABLE}`,
      ],
    },
  },
});

/** The last lines of a build that failed are its reason. */
const readLog = ({ account, region }: Place, project: string): PolicyStatement =>
  statement("BuildLog", ["logs:GetLogEvents"], [`arn:aws:logs:${region}:${account}:log-group:/aws/codebuild/${project}:log-stream:*`]);
