import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { AccountPrincipal, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Topic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";
import { artifactsBucket, NAMES, PREFIXES, roleName } from "../../release/names.ts";
import { testRunDefinition } from "../../release/testrun/state-machine.ts";
import { dataBucket, keeping } from "../constructs/data-bucket.ts";
import { HandlerFunction } from "../constructs/handler-function.ts";
import { exportWorkflows } from "../constructs/one-deployment.ts";
import { DefinedStateMachine } from "../constructs/state-machine.ts";
import { type AppContext, bucketArn, settingsOf, testPlace } from "../context.ts";
import { readObjects, runStatements, statement, useKey, writeObjects } from "../policies.ts";

export interface CicdStackProps extends StackProps {
  readonly context: AppContext;
}

/** What all workflows share in the cicd account: the bucket and its key, test runs, the run role, approvals. */
export class CicdStack extends Stack {
  readonly key: Key;
  readonly bucket: Bucket;
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { context, ...props }: CicdStackProps) {
    super(scope, id, props);
    const { config } = context;
    this.key = new Key(this, "Key", {
      alias: "omx-artifacts",
      description: "Pipeline artifacts, test data and evidence of omx",
      enableKeyRotation: true,
      removalPolicy: keeping(config.keepData),
    });
    this.bucket = dataBucket(this, "Artifacts", {
      name: artifactsBucket(config.cicd.account, config.cicd.region),
      key: this.key,
      keep: config.keepData,
      expire: { [`${PREFIXES.testOutputs}/`]: 90, [`${PREFIXES.testData}/`]: 90 },
    });
    this.topic = new Topic(this, "Approvals", { topicName: NAMES.approvalTopic, masterKey: this.key, enforceSSL: true });
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: "ApprovalMessages",
        principals: [new ServicePrincipal("codepipeline.amazonaws.com")],
        actions: ["kms:GenerateDataKey", "kms:Decrypt"],
        resources: ["*"],
        conditions: { StringEquals: { "aws:SourceAccount": config.cicd.account } },
      }),
    );
    const runRole = this.runRole(context);
    this.testRuns(context, runRole);
    this.approvalReader(context);
    exportWorkflows(this, Object.keys(config.workflows));
  }

  /** HealthOmics runs with this role: reads test data and declared sources, writes outputs below one prefix. */
  private runRole(context: AppContext): Role {
    const place = testPlace(context);
    const role = new Role(this, "RunRole", {
      roleName: roleName(NAMES.runRole, place.region),
      description: "What a test run may do",
      assumedBy: new ServicePrincipal("omics.amazonaws.com", {
        conditions: {
          StringEquals: { "aws:SourceAccount": place.account },
          ArnLike: { "aws:SourceArn": `arn:aws:omics:${place.region}:${place.account}:run/*` },
        },
      }),
    });
    const bucket = `s3://${artifactsBucket(context.config.cicd.account, context.config.cicd.region)}`;
    for (const policy of runStatements(place, {
      read: [`${bucket}/${PREFIXES.testData}/`, ...context.config.dataSources],
      write: [`${bucket}/${PREFIXES.testOutputs}/`],
    }))
      role.addToPolicy(policy);
    role.addToPolicy(useKey("Key", this.key.keyArn, ["read", "write"]));
    return role;
  }

  private testRuns(context: AppContext, runRole: Role): void {
    const { cicd } = context.config;
    const place = testPlace(context);
    const bucket = bucketArn(artifactsBucket(cicd.account, cicd.region));
    const judge = new HandlerFunction(this, "Judge", {
      name: "omx-judge-tests",
      handler: "judge-tests",
      code: context.bundles.functions,
      timeout: Duration.minutes(15),
      memorySize: 1024,
      environment: { OMX_DEPLOYMENT: settingsOf(context) },
      statements: [
        ...readObjects("Read", bucket, [`${PREFIXES.testOutputs}/`, `${PREFIXES.evidence}/`]),
        writeObjects("Evidence", bucket, [`${PREFIXES.evidence}/`]),
        useKey("Key", this.key.keyArn, ["read", "write"]),
        statement(
          "Runs",
          ["omics:GetRun", "omics:ListRunTasks", "omics:GetRunTask"],
          [`arn:aws:omics:${place.region}:${place.account}:run/*`, `arn:aws:omics:${place.region}:${place.account}:task/*`],
        ),
      ],
    });
    new DefinedStateMachine(this, "TestRun", {
      name: NAMES.testRun,
      definition: testRunDefinition(),
      substitutions: { JudgeFunction: judge.function.functionArn },
      statements: [
        statement("Judge", ["lambda:InvokeFunction"], [judge.function.functionArn]),
        statement(
          "StartRuns",
          ["omics:StartRun", "omics:TagResource"],
          ["run", "workflow", "runCache"].map((kind) => `arn:aws:omics:${place.region}:${place.account}:${kind}/*`),
        ),
        statement("FollowRuns", ["omics:GetRun", "omics:CancelRun"], [`arn:aws:omics:${place.region}:${place.account}:run/*`]),
        statement("RunRole", ["iam:PassRole"], [runRole.roleArn], { StringEquals: { "iam:PassedToService": "omics.amazonaws.com" } }),
      ],
    });
  }

  /** Production asks through this role whether a person approved what arrived there. */
  private approvalReader(context: AppContext): void {
    const { cicd, production } = context.config;
    const accounts = [...new Set(production.map((place) => place.account))];
    const role = new Role(this, "ApprovalReader", {
      roleName: roleName(NAMES.approvalReaderRole, cicd.region),
      description: "Lets production see whether an approval precedes a bundle",
      assumedBy: new AccountPrincipal(accounts[0]),
    });
    const trust = role.assumeRolePolicy;
    for (const account of accounts.slice(1))
      trust?.addStatements(new PolicyStatement({ actions: ["sts:AssumeRole"], principals: [new AccountPrincipal(account)] }));
    const actions = ["codepipeline:ListActionExecutions", "codepipeline:GetPipelineExecution", "codepipeline:GetPipeline"];
    role.addToPolicy(statement("Approvals", actions, [`arn:aws:codepipeline:${cicd.region}:${cicd.account}:omx-*`]));
  }
}
