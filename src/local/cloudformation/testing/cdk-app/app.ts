import { App, CfnOutput, CfnParameter, Fn, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Bucket, BucketEncryption } from "aws-cdk-lib/aws-s3";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";

/**
 * A small app over S3, IAM and SSM: what a stranger's CDK app asks of CloudFormation. Context changes it:
 * `-c size=2` changes a parameter in place, `-c name=x` replaces one, `-c broken=yes` fails half-way,
 * `-c unserved=yes` has a type that nobody provides.
 */
class Store extends Stack {
  readonly bucket: Bucket;
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const context = (name: string): string | undefined => this.node.tryGetContext(name) as string | undefined;
    this.bucket = new Bucket(this, "Bucket", {
      encryption: BucketEncryption.S3_MANAGED, enforceSSL: true, versioned: true, removalPolicy: RemovalPolicy.DESTROY,
    });
    const unit = new CfnParameter(this, "Unit", { type: "String", default: "GB", allowedValues: ["GB", "TB"] });
    const name = `/app/${context("name") ?? "size"}`;
    const parameter = new StringParameter(this, "SizeParameter", { parameterName: name, stringValue: `${context("size") ?? "1"} ${unit.valueAsString}` });
    if (context("broken") === "yes") {
      // The name is taken by the first parameter: SSM refuses the second.
      const second = new StringParameter(this, "Broken", { parameterName: name, stringValue: "x" });
      second.node.addDependency(parameter);
    }
    new CfnOutput(this, "First", { value: Fn.select(0, Fn.split("-", this.bucket.bucketName)) });
  }
}

class Reader extends Stack {
  constructor(scope: Construct, id: string, { bucket, ...props }: StackProps & { readonly bucket: Bucket }) {
    super(scope, id, props);
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    bucket.grantRead(role);
    role.addToPolicy(new PolicyStatement({ actions: ["ssm:GetParameter"], resources: [this.formatArn({ service: "ssm", resource: "parameter/app/*" })] }));
  }
}

const app = new App();
const env = { account: "111122223333", region: "us-east-1" };
const store = new Store(app, "Store", { env, tags: { team: "omx" } });
new Reader(app, "Reader", { env, bucket: store.bucket });
if (app.node.tryGetContext("unserved") === "yes") new (await import("aws-cdk-lib/aws-sqs")).Queue(new Stack(app, "Unserved", { env }), "Queue");
