import {
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsCommandOutput,
  PutRuleCommand,
  type PutRuleCommandInput,
  PutTargetsCommand,
  type Target,
} from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateStateMachineCommand, DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from "@aws-sdk/client-sfn";
import { expect, vi } from "vitest";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";

/** Accounts in which state machines tell what the targets of rules got. */
export interface EventsLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  events(profile?: "cicd" | "developer"): EventBridgeClient;
  /** A name that nothing has yet: `rule-7`. */
  fresh(kind: string): string;
  /** The ARN of a new role that the service takes and that may do these things. */
  role(service: string, ...actions: readonly string[]): Promise<string>;
  /** The ARN of a machine that hands on what it is given, so that its executions tell what a target got. */
  machine(): Promise<string>;
  /** A machine as a target, with a role that may start it. */
  toMachine(arn: string, more?: Partial<Target>): Promise<Omit<Target, "Id">>;
  /** The name of a new rule, with this one target where one is given. */
  rule(input: Partial<PutRuleCommandInput>, target?: Omit<Target, "Id">): Promise<string>;
  put(source: string, detail?: unknown): Promise<PutEventsCommandOutput>;
  /** The inputs of a machine's executions as they are now. */
  inputs(stateMachineArn: string): Promise<readonly unknown[]>;
  /** The inputs of a machine's executions, once there is one. */
  received(stateMachineArn: string): Promise<readonly unknown[]>;
}

const policy = (...Statement: readonly object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

export async function openEventsLab(): Promise<EventsLab> {
  const accounts = await startAccounts();
  // A restart gives the accounts another address.
  const events: EventsLab["events"] = (profile = "cicd") => new EventBridgeClient(accounts.config(profile));
  const sfn = () => new SFNClient(accounts.config());
  let count = 0;
  const fresh = (kind: string) => `${kind}-${(count += 1)}`;
  const role: EventsLab["role"] = async (service, ...actions) => {
    const iam = new IAMClient(accounts.config());
    const RoleName = fresh("role");
    const trust = policy({ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" });
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
    const PolicyDocument = policy({ Effect: "Allow", Action: actions, Resource: "*" });
    if (actions.length > 0) await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
    return Role!.Arn!;
  };
  const inputs = async (stateMachineArn: string) => {
    const { executions = [] } = await sfn().send(new ListExecutionsCommand({ stateMachineArn }));
    const described = await Promise.all(executions.map(({ executionArn }) => sfn().send(new DescribeExecutionCommand({ executionArn }))));
    return described.map(({ input }) => JSON.parse(input!) as unknown);
  };
  return {
    accounts,
    events,
    fresh,
    role,
    inputs,
    async machine() {
      const definition = JSON.stringify({ StartAt: "S", States: { S: { Type: "Pass", End: true } } });
      const roleArn = await role("states.amazonaws.com");
      const made = await sfn().send(new CreateStateMachineCommand({ name: fresh("machine"), definition, roleArn }));
      return made.stateMachineArn!;
    },
    toMachine: async (Arn, more = {}) => ({ Arn, RoleArn: await role("events.amazonaws.com", "states:StartExecution"), ...more }),
    async rule(input, target) {
      const Name = fresh("rule");
      await events().send(new PutRuleCommand({ Name, ...input }));
      if (target !== undefined) await events().send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: "t", ...target }] }));
      return Name;
    },
    put: (Source, detail = {}) =>
      events().send(
        new PutEventsCommand({ Entries: [{ Source, DetailType: "Test", Detail: JSON.stringify(detail), Resources: ["arn:x"] }] }),
      ),
    received: (stateMachineArn) =>
      vi.waitFor(
        async () => {
          const found = await inputs(stateMachineArn);
          expect(found.length).toBeGreaterThanOrEqual(1);
          return found;
        },
        { timeout: 90_000 },
      ),
    [Symbol.asyncDispose]: () => accounts[Symbol.asyncDispose](),
  };
}
