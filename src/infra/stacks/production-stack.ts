import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { Source } from "aws-cdk-lib/aws-codebuild";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { ArnPrincipal, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { type Bucket, type CfnBucket } from "aws-cdk-lib/aws-s3";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type { Construct } from "constructs";
import { keyIn } from "../../release/images/repositories/repository-settings.ts";
import { NAMES, releasesBucket, roleName } from "../../release/names.ts";
import type { Place } from "../../release/project/deploy-config.ts";
import { BuildProject, toolkitBuildSpec } from "../constructs/build-project.ts";
import { dataBucket, keeping } from "../constructs/data-bucket.ts";
import { HandlerFunction } from "../constructs/handler-function.ts";
import { comeFrom } from "../constructs/one-deployment.ts";
import { type AppContext, bucketArn, projectArn, roleArn, settingsOf } from "../context.ts";
import { publishWorkflows, readObjects, runStatements, stageImages, statement, useKey, writeObjects } from "../policies.ts";

export interface ProductionStackProps extends StackProps {
  readonly context: AppContext;
  readonly place: Place;
}

/** The production account: where approved bundles arrive, are verified and become versions. */
export class ProductionStack extends Stack {
  private readonly context: AppContext;
  private readonly place: Place;
  private readonly key: Key;
  private readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { context, place, ...props }: ProductionStackProps) {
    super(scope, id, props);
    this.context = context;
    this.place = place;
    comeFrom(this, { cicd: context.config.cicd, place });
    const keep = context.config.keepData;
    this.key = new Key(this, "Key", {
      alias: "omx-releases",
      description: "Released workflow definitions",
      enableKeyRotation: true,
      removalPolicy: keeping(keep),
    });
    this.bucket = dataBucket(this, "Releases", { name: releasesBucket(place.account, place.region), key: this.key, keep });
    (this.bucket.node.defaultChild as CfnBucket).notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    this.letPromotionsIn();
    this.wake(this.verifier());
    this.releaser();
    this.runRole();
  }

  /**
   * Only the promotion roles of the cicd account write here, each its workflow's folder; production reads. What is the same for
   * all of them is one statement: a bucket's policy has 20 KB, a key's 32 (AmazonS3/latest/userguide/add-bucket-policy.html).
   */
  private letPromotionsIn(): void {
    const roles = Object.keys(this.context.config.workflows).map((workflow) => ({
      workflow,
      role: new ArnPrincipal(roleArn(this.context.config.cicd, `${NAMES.promoteRole}-${workflow}`)),
    }));
    for (const { workflow, role } of roles)
      this.bucket.addToResourcePolicy(
        new PolicyStatement({
          principals: [role],
          actions: ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
          resources: [`${this.bucket.bucketArn}/${workflow}/*`],
        }),
      );
    if (roles.length === 0) return;
    const principals = roles.map(({ role }) => role);
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: "ListReleases",
        principals,
        actions: ["s3:ListBucket", "s3:GetBucketLocation"],
        resources: [this.bucket.bucketArn],
      }),
    );
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: "HandOver",
        principals,
        actions: ["kms:GenerateDataKey", "kms:Decrypt"],
        resources: ["*"],
        conditions: { StringEquals: { "kms:ViaService": `s3.${this.place.region}.amazonaws.com` } },
      }),
    );
  }

  /** Starts the release of a bundle that is whole and approved. */
  private verifier(): HandlerFunction {
    const { place, context } = this;
    const bucket = bucketArn(releasesBucket(place.account, place.region));
    return new HandlerFunction(this, "Verify", {
      name: "omx-verify-bundle",
      handler: "verify-bundle",
      roleName: roleName(NAMES.verifyRole, place.region),
      code: context.bundles.functions,
      environment: { OMX_DEPLOYMENT: settingsOf(context) },
      timeout: Duration.minutes(5),
      statements: [
        ...readObjects("Bundles", bucket),
        useKey("Key", this.key.keyArn, ["read", "write"]),
        writeObjects("Results", bucket),
        askForApproval(context),
        statement("Release", ["codebuild:StartBuild", "codebuild:BatchGetBuilds"], [projectArn(place, NAMES.releaseProject)]),
      ],
    });
  }

  private releaser(): void {
    const { place, context } = this;
    const bucket = bucketArn(releasesBucket(place.account, place.region));
    const toolkit = new Asset(this, "Toolkit", { path: context.bundles.toolkit });
    new BuildProject(this, "Release", {
      name: NAMES.releaseProject,
      roleName: roleName(NAMES.releaseRole, place.region),
      description: "Creates the workflow version of a verified bundle",
      key: this.key,
      source: Source.s3({ bucket: toolkit.bucket, path: toolkit.s3ObjectKey }),
      environment: { OMX_DEPLOYMENT: settingsOf(context) },
      buildSpec: toolkitBuildSpec("$CODEBUILD_SRC_DIR", "release"),
      statements: [
        ...readObjects("Toolkit", toolkit.bucket.bucketArn, [toolkit.s3ObjectKey]),
        ...readObjects("Bundles", bucket),
        writeObjects("Results", bucket),
        useKey("Key", this.key.keyArn, ["read", "write"]),
        askForApproval(context),
        ...publishWorkflows(place),
        ...stageImages(place, keyIn(context.config.containers.repositories, place)),
        ...this.smokeRuns(),
        statement(
          "CheckImages",
          ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"],
          [`arn:aws:ecr:${context.config.cicd.region}:${context.config.cicd.account}:repository/*`],
        ),
      ],
    });
  }

  /** For a bundle that arrived, and for a build that ended without having answered. */
  private wake({ function: handler }: HandlerFunction): void {
    const bucket = releasesBucket(this.place.account, this.place.region);
    const target = () => new LambdaFunction(handler, { retryAttempts: 8, maxEventAge: Duration.hours(2) });
    new Rule(this, "BundleArrived", {
      ruleName: "omx-bundle-arrived",
      description: "release.json, the last file of a bundle, arrived",
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created"],
        detail: { bucket: { name: [bucket] }, object: { key: [{ suffix: "/release.json" }] } },
      },
      targets: [target()],
    });
    new Rule(this, "ReleaseLost", {
      ruleName: "omx-release-lost",
      description: "A build that was to release a bundle ended without success: the cicd account waits for an answer",
      eventPattern: {
        source: ["aws.codebuild"],
        detailType: ["CodeBuild Build State Change"],
        detail: { "project-name": [NAMES.releaseProject], "build-status": ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"] },
      },
      targets: [target()],
    });
  }

  /** A workflow may ask for a run of the released version on the data that came with it. */
  private smokeRuns(): PolicyStatement[] {
    const { account, region } = this.place;
    const omics = (kind: string) => `arn:aws:omics:${region}:${account}:${kind}/*`;
    return [
      statement("SmokeRuns", ["omics:StartRun", "omics:GetRun", "omics:CancelRun", "omics:TagResource"], [omics("run"), omics("workflow")]),
      statement("SmokeRunRole", ["iam:PassRole"], [roleArn(this.place, NAMES.runRole)], {
        StringEquals: { "iam:PassedToService": "omics.amazonaws.com" },
      }),
    ];
  }

  /** For runs of released versions: outputs below `runs/`, images from the cicd account's registry. */
  private runRole(): void {
    const { place, context } = this;
    const bucket = `s3://${releasesBucket(place.account, place.region)}`;
    const role = new Role(this, "RunRole", {
      roleName: roleName(NAMES.runRole, this.place.region),
      description: "What a run of a released version may do",
      assumedBy: new ServicePrincipal("omics.amazonaws.com", {
        conditions: {
          StringEquals: { "aws:SourceAccount": place.account },
          ArnLike: { "aws:SourceArn": `arn:aws:omics:${place.region}:${place.account}:run/*` },
        },
      }),
    });
    for (const policy of runStatements(place, {
      read: [`${bucket}/data/`, `${bucket}/*/smoke/`, ...context.config.dataSources],
      write: [`${bucket}/runs/`],
    }))
      role.addToPolicy(policy);
    role.addToPolicy(useKey("Key", this.key.keyArn, ["read", "write"]));
  }
}

const askForApproval = ({ config: { cicd } }: AppContext): PolicyStatement =>
  statement("AskForApproval", ["sts:AssumeRole"], [roleArn(cicd, NAMES.approvalReaderRole)]);
