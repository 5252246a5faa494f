import { Duration, RemovalPolicy, Size, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Code, Function as LambdaFunction, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

export interface HandlerFunctionProps {
  /** The function's physical name, and that of its log group and role. */
  readonly name: string;
  /** The file in `src/handlers/lambda`, without its ending. */
  readonly handler: string;
  /** The folder with all bundled functions. */
  readonly code: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
  /** @default 1 minute */
  readonly timeout?: Duration;
  /** MiB. @default 512 */
  readonly memorySize?: number;
  /** GiB of /tmp. @default - Lambda's half */
  readonly storageGiB?: number;
  /** The role's physical name, where another account names it. @default made by CloudFormation */
  readonly roleName?: string;
}

/** A Lambda function of omx: bundled code, a log group of its own, a role with what is listed and nothing else. */
export class HandlerFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, "Logs", {
      logGroupName: `/aws/lambda/${props.name}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `What ${props.name} may do`,
      ...(props.roleName && { roleName: props.roleName }),
    });
    this.role.addToPolicy(
      new PolicyStatement({
        sid: "Logs",
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [
          `arn:${Stack.of(this).partition}:logs:${Stack.of(this).region}:${Stack.of(this).account}:log-group:/aws/lambda/${props.name}:*`,
        ],
      }),
    );
    for (const statement of props.statements) this.role.addToPolicy(statement);
    this.function = new LambdaFunction(this, "Function", {
      functionName: props.name,
      runtime: Runtime.NODEJS_24_X,
      handler: `${props.handler}.handler`,
      code: Code.fromAsset(props.code),
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      timeout: props.timeout ?? Duration.minutes(1),
      memorySize: props.memorySize ?? 512,
      ...(props.storageGiB && { ephemeralStorageSize: Size.gibibytes(props.storageGiB) }),
      tracing: Tracing.DISABLED,
      environment: { ...props.environment },
    });
  }
}
