import type { AwsEvent } from "../gateway/service.ts";
import type { Execution } from "./store.ts";

/** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
export const statusEvent = (execution: Execution): AwsEvent => ({
  account: execution.account,
  region: execution.region,
  source: "aws.states",
  detailType: "Step Functions Execution Status Change",
  resources: [execution.arn],
  detail: {
    executionArn: execution.arn,
    stateMachineArn: execution.stateMachineArn,
    stateMachineVersionArn: null,
    stateMachineAliasArn: null,
    name: execution.name,
    status: execution.status,
    startDate: Date.parse(execution.startedAt),
    stopDate: execution.stoppedAt === undefined ? null : Date.parse(execution.stoppedAt),
    input: execution.input,
    inputDetails: { included: true },
    output: execution.output ?? null,
    outputDetails: execution.output === undefined ? null : { included: true },
    error: execution.error ?? null,
    cause: execution.cause ?? null,
    redriveCount: 0,
    redriveDate: null,
    redriveStatus: "NOT_REDRIVABLE",
    redriveStatusReason: redriveStatusReason(execution),
  },
});

/** Nothing is redriven here, whatever its status. */
export const redriveStatusReason = ({ status }: Pick<Execution, "status">): string =>
  status === "RUNNING" || status === "SUCCEEDED"
    ? `Execution is ${status} and cannot be redriven`
    : "The local accounts do not redrive executions";
