import { App, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { LambdaFunction, SfnStateMachine } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { CfnRunGroup, CfnWorkflow, CfnWorkflowVersion } from "aws-cdk-lib/aws-omics";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Choice, Condition, DefinitionBody, Fail, JsonPath, StateMachine, Succeed, Wait, WaitTime } from "aws-cdk-lib/aws-stepfunctions";
import { CallAwsService } from "aws-cdk-lib/aws-stepfunctions-tasks";
import type { Construct } from "constructs";
import { join } from "node:path";

// What strangers write over HealthOmics; nothing of omx is in it. `-c version=2` changes what it deploys.

const NOTE = `
import boto3, json
def handler(event, context):
    boto3.client("ssm").put_parameter(Name="/flows/ended/" + event["detail"]["runId"], Value=json.dumps(event), Type="String", Overwrite=True)
`;

/** A workflow with its version and its group, run by a state machine whenever a file arrives; a function hears of its end. */
class Flows extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const version = (this.node.tryGetContext("version") as string | undefined) ?? "1";
    const code = new Asset(this, "Code", { path: join(import.meta.dirname, "workflow") });
    const workflow = new CfnWorkflow(this, "Workflow", {
      name: "hello",
      engine: "WDL",
      main: "main.wdl",
      definitionUri: code.s3ObjectUrl,
      description: `says hello (${version})`,
      storageType: "DYNAMIC",
      parameterTemplate: { who: { description: "Whom to greet", optional: false }, greeting: { optional: true } },
      tags: { from: "cdk" },
    });
    const released = new CfnWorkflowVersion(this, "Released", {
      workflowId: workflow.attrId,
      versionName: `${version}.0.0`,
      definitionUri: code.s3ObjectUrl,
      engine: "WDL",
      storageType: "DYNAMIC",
    });
    const group = new CfnRunGroup(this, "Group", { name: "hello", maxRuns: Number(version), maxCpus: 8 });

    const bucket = new Bucket(this, "Data", { eventBridgeEnabled: true, autoDeleteObjects: true, removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, "RunRole", { assumedBy: new ServicePrincipal("omics.amazonaws.com") });
    bucket.grantReadWrite(role);
    role.addToPolicy(
      new PolicyStatement({
        actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
        resources: ["*"],
      }),
    );

    const start = new CallAwsService(this, "Start", {
      service: "omics",
      action: "startRun",
      iamResources: ["*"],
      resultPath: "$.run",
      parameters: {
        WorkflowId: workflow.attrId,
        WorkflowVersionName: `${version}.0.0`,
        RunGroupId: group.attrId,
        RoleArn: role.roleArn,
        OutputUri: `s3://${bucket.bucketName}/runs`,
        StorageType: "DYNAMIC",
        Name: JsonPath.stringAt("$.who"),
        Parameters: { who: JsonPath.stringAt("$.who") },
      },
      additionalIamStatements: [new PolicyStatement({ actions: ["iam:PassRole"], resources: [role.roleArn] })],
    });
    start.node.addDependency(released);
    const look = new CallAwsService(this, "Look", {
      service: "omics",
      action: "getRun",
      iamResources: ["*"],
      parameters: { Id: JsonPath.stringAt("$.run.Id") },
      resultPath: "$.run",
    });
    const wait = new Wait(this, "Wait", { time: WaitTime.duration(Duration.seconds(1)) });
    const decide = new Choice(this, "Decide")
      .when(Condition.stringEquals("$.run.Status", "COMPLETED"), new Succeed(this, "Done"))
      .when(
        Condition.or(Condition.stringEquals("$.run.Status", "FAILED"), Condition.stringEquals("$.run.Status", "CANCELLED")),
        new Fail(this, "Broken", { errorPath: "$.run.FailureReason", causePath: "$.run.StatusMessage" }),
      )
      .otherwise(wait);
    const machine = new StateMachine(this, "Machine", {
      definitionBody: DefinitionBody.fromChainable(start.next(wait).next(look).next(decide)),
      timeout: Duration.minutes(20),
    });
    new Rule(this, "Arrived", {
      eventPattern: {
        source: ["aws.s3"],
        detailType: ["Object Created"],
        detail: { bucket: { name: [bucket.bucketName] }, object: { key: [{ prefix: "in/" }] } },
      },
      targets: [new SfnStateMachine(machine, { input: RuleTargetInput.fromObject({ who: "a file" }) })],
    });

    const heard = new Function(this, "Heard", {
      runtime: Runtime.PYTHON_3_12,
      handler: "index.handler",
      timeout: Duration.minutes(2),
      code: Code.fromInline(NOTE),
    });
    heard.addToRolePolicy(new PolicyStatement({ actions: ["ssm:PutParameter"], resources: ["*"] }));
    new Rule(this, "Ended", {
      eventPattern: {
        source: ["aws.omics"],
        detailType: ["Run Status Change"],
        detail: { status: ["COMPLETED", "FAILED"], workflowId: [workflow.attrId] },
      },
      targets: [new LambdaFunction(heard)],
    });

    for (const [name, value] of Object.entries({
      WorkflowId: workflow.attrId,
      VersionArn: released.attrArn,
      GroupId: group.attrId,
      MachineArn: machine.stateMachineArn,
      BucketName: bucket.bucketName,
    }))
      new CfnOutput(this, name, { value });
  }
}

new Flows(new App(), "Flows", { env: { account: "111122223333", region: "us-east-1" } });
