import type { Target } from "@aws-sdk/client-eventbridge";
import { parseAccountId } from "../../kit/account-id.ts";
import { isArn, parseArn } from "../../kit/arn.ts";
import type { Principal } from "../authorization/principal.ts";
import { AwsError } from "../gateway/aws-error.ts";
import type { Core } from "../gateway/service.ts";
import type { Rule } from "./store.ts";
import type { BusEvent } from "./target-input.ts";

/** One event for one target. */
export interface Sending {
  /** The same for every attempt: what services recognize a repetition by. */
  readonly id: string;
  readonly event: BusEvent;
  readonly rule: Pick<Rule, "arn" | "name" | "account" | "region">;
  readonly target: Target;
  /** What the target is given, usually JSON. */
  readonly input: string;
}

interface Kind {
  readonly service: string;
  readonly resource: RegExp;
  /** Whether EventBridge takes a role for it; else the target's own policy must let EventBridge in. */
  readonly needsRole: boolean;
  send(core: Core, sending: Sending): Promise<unknown>;
}

const KINDS: readonly Kind[] = [
  {
    service: "lambda",
    resource: /^function:[^:]+(:[^:]+)?$/,
    needsRole: false,
    send: (core, sending) =>
      callAsEvents(core, sending, [
        "lambda",
        "Invoke",
        { FunctionName: sending.target.Arn, InvocationType: "Event", Payload: Buffer.from(sending.input) },
      ]),
  },
  {
    service: "sns",
    resource: /^[^:]+$/,
    needsRole: false,
    send: (core, sending) => callAsEvents(core, sending, ["sns", "Publish", { TopicArn: sending.target.Arn, Message: sending.input }]),
  },
  {
    service: "logs",
    resource: /^log-group:[^:]+(:\*)?$/,
    needsRole: false,
    send: (core, sending) => Promise.resolve(writeLog(core, sending)),
  },
  { service: "states", resource: /^stateMachine:[^:]+$/, needsRole: true, send: (core, sending) => startExecution(core, sending) },
  {
    service: "codepipeline",
    resource: /^[^:/]+$/,
    needsRole: true,
    send: (core, sending) =>
      callAsRole(core, sending, [
        "codepipeline",
        "StartPipelineExecution",
        {
          name: resourceOf(sending),
          clientRequestToken: sending.id,
          trigger: triggerOf(sending),
          ...overrides(sending, ["variables", "sourceRevisions"]),
        },
      ]),
  },
  {
    service: "codebuild",
    resource: /^project\/.+$/,
    needsRole: true,
    send: (core, sending) =>
      callAsRole(core, sending, [
        "codebuild",
        "StartBuild",
        {
          ...(isShaped(sending.target) ? json(sending.input) : {}),
          projectName: resourceOf(sending).slice("project/".length),
          idempotencyToken: sending.id,
        },
      ]),
  },
];

const kindOf = (arn: string): Kind | undefined => {
  if (!isArn(arn)) return undefined;
  const { service, resource } = parseArn(arn);
  return KINDS.find((kind) => kind.service === service && kind.resource.test(resource));
};

/** Hands an event to its target. @throws AwsError what the target's service answers */
export async function send(core: Core, sending: Sending): Promise<void> {
  const kind = kindOf(sending.target.Arn ?? "");
  if (kind === undefined) throw new Error(`${sending.target.Arn} is not a target the local accounts know`);
  await kind.send(core, sending);
}

/** Why a target can't be used; undefined when it can. */
export function targetProblem({ Arn = "", RoleArn }: Target): string | undefined {
  const kind = kindOf(Arn);
  if (kind === undefined)
    return `the local accounts have no target like ${Arn}: Lambda functions, state machines, pipelines, build projects, topics and log groups are known`;
  return kind.needsRole && RoleArn === undefined ? `RoleArn is required for target ${Arn}.` : undefined;
}

type Request = readonly [service: string, operation: string, input: object];

/** As EventBridge itself: the target's own policy decides. */
function callAsEvents(core: Core, { rule, target }: Sending, [service, operation, input]: Request): Promise<unknown> {
  const as: Principal = {
    kind: "service",
    service: "events.amazonaws.com",
    sourceAccount: parseAccountId(rule.account),
    sourceArn: rule.arn,
  };
  const { account, region } = parseArn(target.Arn ?? "");
  return core.dispatcher.call({ service, operation, input, as, account, region });
}

/** As the target's role: its policies decide. */
function callAsRole(core: Core, { rule, target, event }: Sending, [service, operation, input]: Request): Promise<unknown> {
  const as = core.directory.assumeAsService({
    service: "events.amazonaws.com",
    roleArn: target.RoleArn ?? "",
    sessionName: event.id.replaceAll("-", ""),
    sourceArn: rule.arn,
  });
  const { account, region } = parseArn(target.Arn ?? "");
  return core.dispatcher.call({ service, operation, input, as, account, region });
}

/** The execution's name is made of the delivery, so that a repetition finds the execution of the first attempt. */
async function startExecution(core: Core, sending: Sending): Promise<void> {
  const input = { stateMachineArn: sending.target.Arn, name: `${sending.event.id}_${sending.id}`.slice(0, 80), input: sending.input };
  try {
    await callAsRole(core, sending, ["states", "StartExecution", input]);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "ExecutionAlreadyExists") throw error;
  }
}

function writeLog(core: Core, { target, event, rule, input }: Sending): void {
  const { account, region, resource } = parseArn(target.Arn ?? "");
  const group = resource.replace(/^log-group:/, "").replace(/:\*$/, "");
  core.logs.append({ account, region, group, stream: `${rule.name}/${event.id}` }, [input]);
}

/** What CodePipeline shows as the trigger, with the commit of a push: two pushes at once are two different executions. */
function triggerOf({ rule, event }: Sending): { readonly triggerType: string; readonly triggerDetail: string } {
  const { commitId } = event.detail as { readonly commitId?: unknown };
  return { triggerType: "CloudWatchEvent", triggerDetail: typeof commitId === "string" ? `${rule.arn} commit ${commitId}` : rule.arn };
}

const resourceOf = ({ target }: Sending): string => parseArn(target.Arn ?? "").resource;

/** Whether the target's input is more than the event itself. */
const isShaped = ({ Input, InputTransformer }: Target): boolean => Input !== undefined || InputTransformer !== undefined;

function overrides({ target, input }: Sending, members: readonly string[]): object {
  const given = isShaped(target) ? json(input) : {};
  return Object.fromEntries(Object.entries(given).filter(([name]) => members.includes(name)));
}

function json(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
