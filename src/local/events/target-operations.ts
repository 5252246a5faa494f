import type {
  ListTargetsByRuleRequest,
  ListTargetsByRuleResponse,
  PutTargetsRequest,
  PutTargetsResponse,
  RemoveTargetsRequest,
  RemoveTargetsResponse,
  Target,
} from "@aws-sdk/client-eventbridge";
import { type AnyOperation, operation } from "../gateway/service.ts";
import type { Call } from "../gateway/service.ts";
import { limitExceeded, notProvided, validation } from "./errors.ts";
import { type Events, findRule, pageOf, passRole, ruleArn, tagContext } from "./service-parts.ts";
import { type Rule, ruleKey } from "./store.ts";
import { isPath } from "./target-input.ts";
import { targetProblem } from "./targets.ts";

/** As AWS by default. */
const MOST_TARGETS = 5;

type OfRule = { readonly Rule?: string | undefined; readonly EventBusName?: string | undefined };

const ruleOf = (events: Events, call: Call, { Rule: Name, EventBusName }: OfRule): Rule => findRule(events, call, { Name, EventBusName });

/** Operations on the targets of rules. */
export const targetOperations = (events: Events): Readonly<Record<string, AnyOperation>> => {
  const access =
    (action: string) =>
    ({ Rule: name = "" }: OfRule, call: Call) => [
      { action: `events:${action}`, resource: ruleArn(call, name), context: tagContext(events, call, name) },
    ];
  return {
    PutTargets: operation<PutTargetsRequest, PutTargetsResponse>({
      access: (input, call) => [
        ...(input.Targets ?? []).map(({ Arn = "" }) => ({
          action: "events:PutTargets",
          resource: ruleArn(call, input.Rule ?? ""),
          context: { ...tagContext(events, call, input.Rule ?? ""), "events:TargetArn": Arn },
        })),
        ...(input.Targets ?? []).flatMap(({ RoleArn }) => passRole(RoleArn)),
      ],
      run: (input, call) => put(events, ruleOf(events, call, input), input.Targets ?? []),
    }),
    RemoveTargets: operation<RemoveTargetsRequest, RemoveTargetsResponse>({
      access: access("RemoveTargets"),
      run: (input, call) => remove(events, ruleOf(events, call, input), input.Ids ?? []),
    }),
    ListTargetsByRule: operation<ListTargetsByRuleRequest, ListTargetsByRuleResponse>({
      access: access("ListTargetsByRule"),
      run: (input, call) => list(events, ruleOf(events, call, input), input),
    }),
  };
};

function put({ store }: Events, rule: Rule, targets: readonly Target[]): PutTargetsResponse {
  for (const target of targets) check(target);
  const ids = new Set([...store.targets.list(ruleKey(rule)).map(({ value }) => value.Id), ...targets.map(({ Id }) => Id)]);
  if (ids.size > MOST_TARGETS)
    throw limitExceeded(`The requested resource exceeds the maximum number allowed: a rule has at most ${MOST_TARGETS} targets.`);
  store.transaction(() => {
    for (const target of targets) store.targets.put([...ruleKey(rule), target.Id ?? ""], target);
  });
  return { FailedEntryCount: 0, FailedEntries: [] };
}

function check(target: Target): void {
  const { Id = "", Arn = "", Input, InputPath, InputTransformer, DeadLetterConfig } = target;
  if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(Id)) throw validation(`Target id "${Id}" is not valid.`);
  if (DeadLetterConfig?.Arn !== undefined) throw notProvided("dead-letter queues");
  const problem = targetProblem(target);
  if (problem !== undefined) throw validation(problem);
  if ([Input, InputPath, InputTransformer].filter((given) => given !== undefined).length > 1)
    throw validation(`Only one of Input, InputPath, or InputTransformer must be provided for target ${Id}.`);
  if (Input !== undefined && !isJson(Input)) throw validation(`JSON syntax error in input for target ${Id} : ${Arn}.`);
  const paths = [...(InputPath === undefined ? [] : [InputPath]), ...Object.values(InputTransformer?.InputPathsMap ?? {})];
  for (const path of paths) if (!isPath(path)) throw validation(`Invalid JSONPath "${path}" for target ${Id}.`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function remove({ store }: Events, rule: Rule, ids: readonly string[]): RemoveTargetsResponse {
  for (const id of ids) store.targets.delete([...ruleKey(rule), id]);
  return { FailedEntryCount: 0, FailedEntries: [] };
}

function list({ store }: Events, rule: Rule, { Limit, NextToken }: ListTargetsByRuleRequest): ListTargetsByRuleResponse {
  const targets = store.targets.list(ruleKey(rule)).map(({ value }) => value);
  const { items, next } = pageOf(targets, { limit: Limit, token: NextToken, nameOf: ({ Id = "" }) => Id });
  return { Targets: [...items], ...next };
}
