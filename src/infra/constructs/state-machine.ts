import { RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { CfnStateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";

export interface DefinedStateMachineProps {
  readonly name: string;
  /** The ASL document; `${Name}` in it is replaced by what `substitutions` says. */
  readonly definition: object;
  readonly substitutions: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
}

/** A state machine written in ASL, as it will run: its definition is not generated from constructs. */
export class DefinedStateMachine extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, props: DefinedStateMachineProps) {
    super(scope, id);
    const { partition, region, account } = Stack.of(this);
    const logs = new LogGroup(this, "Logs", {
      logGroupName: `/aws/vendedlogs/states/${props.name}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("states.amazonaws.com"),
      description: `What ${props.name} may do`,
    });
    for (const statement of [...props.statements, deliverLogs(), trace()]) role.addToPolicy(statement);
    const machine = new CfnStateMachine(this, "Machine", {
      stateMachineName: props.name,
      roleArn: role.roleArn,
      definitionString: JSON.stringify(props.definition),
      definitionSubstitutions: { ...props.substitutions },
      loggingConfiguration: {
        level: "ALL",
        includeExecutionData: false,
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: logs.logGroupArn } }],
      },
      tracingConfiguration: { enabled: true },
    });
    machine.node.addDependency(role);
    this.arn = `arn:${partition}:states:${region}:${account}:stateMachine:${props.name}`;
  }
}

/** Log delivery of Step Functions knows no resources (stepfunctions/latest/dg/cw-logs.html). */
const deliverLogs = (): PolicyStatement =>
  new PolicyStatement({
    sid: "LogDelivery",
    actions: [
      "logs:CreateLogDelivery",
      "logs:GetLogDelivery",
      "logs:UpdateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:DescribeResourcePolicies",
      "logs:DescribeLogGroups",
    ],
    resources: ["*"],
  });

/** Without this an execution runs and is not traced (step-functions/latest/dg/xray-iam.html). */
const trace = (): PolicyStatement =>
  new PolicyStatement({
    sid: "Traces",
    actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
    resources: ["*"],
  });
