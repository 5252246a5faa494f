import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateStateMachineCommand,
  type CreateStateMachineCommandInput,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type GetExecutionHistoryCommandInput,
  SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { expect, vi } from "vitest";
import { CICD, type TestAccounts } from "../../testing/accounts.ts";

export const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
export const allow = (Action: unknown, Resource: unknown = "*") => ({ Effect: "Allow", Action, Resource });
/** The definition of a machine of one state. */
export const only = (state: object) => JSON.stringify({ StartAt: "S", States: { S: { End: true, ...state } } });
export const task = (resource: string, fields: object = {}) => ({ Type: "Task", Resource: `arn:aws:states:::${resource}`, ...fields });
export const HELLO = only({ Type: "Pass", Parameters: { "hello.$": "$.name" } });
export const FOREVER = only({ Type: "Wait", Seconds: 1_000_000 });

let count = 0;
export const fresh = (kind: string) => `${kind}-${++count}`;

/** What tests of Step Functions do again and again, against accounts that may restart under them. */
export class Door {
  readonly #accounts: () => TestAccounts;
  constructor(accounts: () => TestAccounts) {
    this.#accounts = accounts;
  }

  sfn = (profile: "cicd" | "developer" = "cicd") => new SFNClient(this.#accounts().config(profile));

  /** A role that Step Functions may take. */
  role = async (...statements: object[]): Promise<string> => {
    const iam = new IAMClient(this.#accounts().config());
    const RoleName = fresh("role");
    const trust = document({
      Effect: "Allow",
      Principal: { Service: ["states.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com"] },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "aws:SourceAccount": CICD } },
    });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
    if (statements.length > 0)
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "inline", PolicyDocument: document(...statements) }));
    return Role!.Arn!;
  };

  machine = async (
    definition: string,
    { statements = [], ...more }: { statements?: object[] } & Partial<CreateStateMachineCommandInput> = {},
  ): Promise<string> => {
    const { stateMachineArn } = await this.sfn().send(
      new CreateStateMachineCommand({ name: fresh("machine"), definition, roleArn: await this.role(...statements), ...more }),
    );
    return stateMachineArn!;
  };

  start = async (stateMachineArn: string, input: unknown = {}, name?: string) =>
    (await this.sfn().send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input), name }))).executionArn!;

  describe = (executionArn: string) => this.sfn().send(new DescribeExecutionCommand({ executionArn }));

  ended = (executionArn: string) =>
    vi.waitFor(
      async () => {
        const described = await this.describe(executionArn);
        expect(described.status).not.toBe("RUNNING");
        return described;
      },
      { timeout: 90_000, interval: 20 },
    );

  run = async (stateMachineArn: string, input: unknown = {}) => this.ended(await this.start(stateMachineArn, input));

  history = async (executionArn: string, options: Partial<GetExecutionHistoryCommandInput> = {}) =>
    (await this.sfn().send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, ...options }))).events!;

  types = async (executionArn: string) => (await this.history(executionArn)).map(({ type }) => type);

  /** The token that the first task of an execution was scheduled with, once its request is out. */
  tokenOf = (executionArn: string) =>
    vi.waitFor(async () => {
      const events = await this.history(executionArn);
      expect(events.some(({ type }) => type === "TaskSubmitted")).toBe(true);
      const parameters = events.find(({ type }) => type === "TaskScheduled")!.taskScheduledEventDetails!.parameters!;
      return (JSON.parse(parameters) as { Input: { t: string } }).Input.t;
    });
}
