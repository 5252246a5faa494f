import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { Rule, RuleTargetInput, EventField, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction, SfnStateMachine, SnsTopic } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { BlockPublicAccess, Bucket, BucketEncryption, EventType, type IBucket } from "aws-cdk-lib/aws-s3";
import { BucketDeployment, Source } from "aws-cdk-lib/aws-s3-deployment";
import { LambdaDestination, SnsDestination } from "aws-cdk-lib/aws-s3-notifications";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription, LambdaSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { StringListParameter, StringParameter } from "aws-cdk-lib/aws-ssm";
import {
  Choice,
  Condition,
  DefinitionBody,
  LogLevel,
  Map,
  Pass,
  StateMachine,
  StateMachineType,
  Succeed,
  TaskInput,
} from "aws-cdk-lib/aws-stepfunctions";
import { CallAwsService, LambdaInvoke } from "aws-cdk-lib/aws-stepfunctions-tasks";
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId, Provider } from "aws-cdk-lib/custom-resources";
import { CustomResource } from "aws-cdk-lib";
import type { Construct } from "constructs";

const note = (mark: string): string => `
import boto3, json
def handler(event, context):
    text = json.dumps(event)
    boto3.client("ssm").put_parameter(Name="/heard/${mark}", Value=text[:4000], Type="String", Overwrite=True)
`;

/** Files arrive, are told about, looked at by a state machine; functions in two languages, keys, parameters, custom resources. */
export class Data extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const version = (this.node.tryGetContext("version") as string | undefined) ?? "1";
    const key = new Key(this, "Key", { alias: "alias/data", enableKeyRotation: true, removalPolicy: RemovalPolicy.DESTROY });
    const bucket = new Bucket(this, "Bucket", {
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      versioned: true,
      eventBridgeEnabled: true,
      autoDeleteObjects: true,
      removalPolicy: RemovalPolicy.DESTROY,
      lifecycleRules: [{ expiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
    const listener = (name: string): Function => {
      const made = new Function(this, name, {
        runtime: Runtime.PYTHON_3_12,
        handler: "index.handler",
        timeout: Duration.minutes(2),
        code: Code.fromInline(note(name)),
      });
      made.addToRolePolicy(
        new PolicyStatement({
          actions: ["ssm:PutParameter"],
          resources: [this.formatArn({ service: "ssm", resource: `parameter/heard/${name}` })],
        }),
      );
      return made;
    };

    const [byS3, byTopic, byRule] = ["ByS3", "ByTopic", "ByRule"].map(listener) as [Function, Function, Function];
    bucket.addEventNotification(EventType.OBJECT_CREATED, new LambdaDestination(byS3), { prefix: "in/", suffix: ".txt" });
    const topic = new Topic(this, "Topic", { displayName: "Files", masterKey: key });
    topic.addSubscription(new LambdaSubscription(byTopic));
    topic.addSubscription(new EmailSubscription("someone@example.org"));
    const plain = new Topic(this, "Removed");
    bucket.addEventNotification(EventType.OBJECT_REMOVED, new SnsDestination(plain));
    new Rule(this, "Told", {
      eventPattern: { source: ["lab"], detail: { size: [{ numeric: [">", 10] }] } },
      targets: [new SnsTopic(topic, { message: RuleTargetInput.fromText(`run ${EventField.fromPath("$.detail.name")}`) })],
    });
    new Rule(this, "Heard", { eventPattern: { source: ["lab"] }, targets: [new LambdaFunction(byRule, { retryAttempts: 2 })] });

    const look = new Function(this, "Look", {
      runtime: Runtime.NODEJS_22_X,
      handler: "index.handler",
      timeout: Duration.minutes(1),
      environment: { VERSION: version },
      code: Code.fromInline("exports.handler = async ({ name }) => ({ name, length: name.length, version: process.env.VERSION });"),
    });
    const items = new Map(this, "Each", { itemsPath: "$.names", maxConcurrency: 2, resultPath: "$.looks" }).itemProcessor(
      new LambdaInvoke(this, "LookAt", {
        lambdaFunction: look,
        payload: TaskInput.fromObject({ "name.$": "$" }),
        payloadResponseOnly: true,
      }),
    );
    const read = new CallAwsService(this, "Read", {
      service: "ssm",
      action: "getParameter",
      parameters: { Name: "/data/size" },
      iamResources: [this.formatArn({ service: "ssm", resource: "parameter/data/size" })],
      resultSelector: { "size.$": "$.Parameter.Value" },
      resultPath: "$.parameter",
    });
    const machine = new StateMachine(this, "Machine", {
      stateMachineType: StateMachineType.STANDARD,
      timeout: Duration.minutes(5),
      logs: {
        destination: new LogGroup(this, "MachineLogs", { retention: RetentionDays.ONE_WEEK, removalPolicy: RemovalPolicy.DESTROY }),
        level: LogLevel.ALL,
        includeExecutionData: true,
      },
      definitionBody: DefinitionBody.fromChainable(
        new Choice(this, "Any")
          .when(Condition.isPresent("$.names[0]"), items.next(read).next(new Succeed(this, "Looked")))
          .otherwise(new Pass(this, "Nothing")),
      ),
    });
    new Rule(this, "Daily", {
      schedule: Schedule.cron({ minute: "0", hour: "4" }),
      targets: [new SfnStateMachine(machine, { input: RuleTargetInput.fromObject({ names: [] }) })],
    });

    new StringParameter(this, "Size", { parameterName: "/data/size", stringValue: `${version} GB` });
    new StringListParameter(this, "Names", { parameterName: "/data/names", stringListValue: ["a", "b"] });
    new BucketDeployment(this, "Site", {
      destinationBucket: bucket as IBucket,
      destinationKeyPrefix: "site",
      sources: [Source.data("index.html", `<p>version ${version}</p>`), Source.jsonData("config.json", { topic: topic.topicArn })],
    });

    const call = {
      service: "SSM",
      action: "putParameter",
      parameters: { Name: "/data/called", Value: version, Type: "String", Overwrite: true },
      physicalResourceId: PhysicalResourceId.of("called"),
    };
    new AwsCustomResource(this, "Called", {
      installLatestAwsSdk: false,
      onUpdate: call,
      onDelete: { service: "SSM", action: "deleteParameter", parameters: { Name: "/data/called" } },
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ["ssm:PutParameter", "ssm:DeleteParameter"], resources: ["*"] }),
      ]),
    });
    const onEventHandler = new Function(this, "OnEvent", {
      runtime: Runtime.PYTHON_3_12,
      handler: "index.handler",
      timeout: Duration.minutes(1),
      code: Code.fromInline(
        "def handler(event, context):\n  return {'PhysicalResourceId': 'made', 'Data': {'Doubled': str(2 * int(event['ResourceProperties']['Number']))}}\n",
      ),
    });
    const isCompleteHandler = new Function(this, "IsComplete", {
      runtime: Runtime.PYTHON_3_12,
      handler: "index.handler",
      timeout: Duration.minutes(1),
      code: Code.fromInline("def handler(event, context):\n  return {'IsComplete': True}\n"),
    });
    const provider = new Provider(this, "Provider", { onEventHandler, isCompleteHandler, queryInterval: Duration.seconds(5) });
    const doubled = new CustomResource(this, "Doubled", { serviceToken: provider.serviceToken, properties: { Number: Number(version) } });

    new CfnOutput(this, "BucketName", { value: bucket.bucketName });
    new CfnOutput(this, "MachineArn", { value: machine.stateMachineArn });
    new CfnOutput(this, "Twice", { value: doubled.getAttString("Doubled") });
  }
}
