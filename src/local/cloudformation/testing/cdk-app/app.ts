import { App, CfnOutput, CfnParameter, CustomResource, Fn, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { Bucket, BucketEncryption, EventType } from "aws-cdk-lib/aws-s3";
import { LambdaDestination } from "aws-cdk-lib/aws-s3-notifications";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";

/**
 * A small app over S3, IAM, SSM and Lambda: what a stranger's CDK app asks of CloudFormation. Context changes it:
 * `-c size=2` changes a parameter in place, `-c name=x` replaces one, `-c broken=yes` fails half-way,
 * `-c unserved=yes` has a type that nobody provides.
 */
class Store extends Stack {
  readonly bucket: Bucket;
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const context = (name: string): string | undefined => this.node.tryGetContext(name) as string | undefined;
    this.bucket = new Bucket(this, "Bucket", {
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const unit = new CfnParameter(this, "Unit", { type: "String", default: "GB", allowedValues: ["GB", "TB"] });
    const name = `/app/${context("name") ?? "size"}`;
    const parameter = new StringParameter(this, "SizeParameter", {
      parameterName: name,
      stringValue: `${context("size") ?? "1"} ${unit.valueAsString}`,
    });
    if (context("broken") === "yes") {
      // The name is taken by the first parameter: SSM refuses the second.
      const second = new StringParameter(this, "Broken", { parameterName: name, stringValue: "x" });
      second.node.addDependency(parameter);
    }
    new CfnOutput(this, "Name", { value: this.bucket.bucketName });
    new CfnOutput(this, "First", { value: Fn.select(0, Fn.split("-", this.bucket.bucketName)) });
  }
}

class Reader extends Stack {
  constructor(scope: Construct, id: string, { bucket, ...props }: StackProps & { readonly bucket: Bucket }) {
    super(scope, id, props);
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    bucket.grantRead(role);
    role.addToPolicy(
      new PolicyStatement({ actions: ["ssm:GetParameter"], resources: [this.formatArn({ service: "ssm", resource: "parameter/app/*" })] }),
    );
  }
}

/** Functions that answer CloudFormation: the CDK's own in Python and Node, and one whose code stands in the template. */
class Custom extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const bucket = new Bucket(this, "Emptied", { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true });
    const listener = new Function(this, "Listener", {
      runtime: Runtime.PYTHON_3_12,
      handler: "index.handler",
      code: Code.fromInline("def handler(event, context):\n  return {}\n"),
    });
    bucket.addEventNotification(EventType.OBJECT_CREATED, new LambdaDestination(listener), { prefix: "in/" });
    const answering = `require("cfn-response").send(event, context, "SUCCESS", { Echo: JSON.stringify(event.ResourceProperties.Given) }, "answered")`;
    const answerer = new Function(this, "Answerer", {
      runtime: Runtime.NODEJS_22_X,
      handler: "index.handler",
      code: Code.fromInline(`exports.handler = (event, context) => { ${answering}; };`),
    });
    const answered = new CustomResource(this, "Answered", {
      serviceToken: answerer.functionArn,
      properties: { Given: { yes: true, five: 5 } },
    });
    new CfnOutput(this, "Echo", { value: answered.getAttString("Echo") });
    new CfnOutput(this, "Bucket", { value: bucket.bucketName });
  }
}

const app = new App();
const env = { account: "111122223333", region: "us-east-1" };
const store = new Store(app, "Store", { env, tags: { team: "omx" } });
new Reader(app, "Reader", { env, bucket: store.bucket });
new Custom(app, "Custom", { env });
if (app.node.tryGetContext("unserved") === "yes")
  new (await import("aws-cdk-lib/aws-sqs")).Queue(new Stack(app, "Unserved", { env }), "Queue");
