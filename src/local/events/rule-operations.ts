import type {
  DeleteRuleRequest,
  DescribeRuleRequest,
  DescribeRuleResponse,
  DisableRuleRequest,
  EnableRuleRequest,
  ListRuleNamesByTargetRequest,
  ListRuleNamesByTargetResponse,
  ListRulesRequest,
  ListRulesResponse,
  PutRuleRequest,
  PutRuleResponse,
  Rule as RuleItem,
} from "@aws-sdk/client-eventbridge";
import { type Access, type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { invalidPattern, notProvided, validation } from "./errors.ts";
import { compilePattern, InvalidPattern } from "./pattern.ts";
import { InvalidSchedule, parseSchedule } from "./schedule.ts";
import { checkBus, type Events, findRule, pageOf, passRole, ruleArn, tagContext } from "./service-parts.ts";
import { type Rule, ruleKey } from "./store.ts";
import { readTags, requestTags } from "./tag-operations.ts";

const NAME = /^[.\-_A-Za-z0-9]{1,64}$/;

type Named = { readonly Name?: string | undefined; readonly EventBusName?: string | undefined };

/** Operations on rules. */
export const ruleOperations = (events: Events): Readonly<Record<string, AnyOperation>> => {
  const access =
    (action: string) =>
    ({ Name = "" }: Named, call: Call): readonly Access[] => [
      { action: `events:${action}`, resource: ruleArn(call, Name), context: tagContext(events, call, Name) },
    ];
  return {
    PutRule: operation<PutRuleRequest, PutRuleResponse>({
      access: (input, call) => putAccess(events, input, call),
      run: (input, call) => put(events, input, call),
    }),
    DescribeRule: operation<DescribeRuleRequest, DescribeRuleResponse>({
      access: access("DescribeRule"),
      run: (input, call) => describe(findRule(events, call, input)),
    }),
    DeleteRule: operation<DeleteRuleRequest, object>({ access: access("DeleteRule"), run: (input, call) => remove(events, input, call) }),
    EnableRule: operation<EnableRuleRequest, object>({
      access: access("EnableRule"),
      run: (input, call) => setState(events, findRule(events, call, input), "ENABLED"),
    }),
    DisableRule: operation<DisableRuleRequest, object>({
      access: access("DisableRule"),
      run: (input, call) => setState(events, findRule(events, call, input), "DISABLED"),
    }),
    ListRules: operation<ListRulesRequest, ListRulesResponse>({
      access: (_, call) => [{ action: "events:ListRules", resource: ruleArn(call, "*") }],
      run: (input, call) => list(events, input, call),
    }),
    ListRuleNamesByTarget: operation<ListRuleNamesByTargetRequest, ListRuleNamesByTargetResponse>({
      access: (_, call) => [{ action: "events:ListRuleNamesByTarget", resource: ruleArn(call, "*") }],
      run: (input, call) => listByTarget(events, input, call),
    }),
  };
};

/** Tagging a rule as it is put, and handing it a role, need leave of their own. */
function putAccess(events: Events, { Name = "", Tags, RoleArn }: PutRuleRequest, call: Call): readonly Access[] {
  const resource = ruleArn(call, Name);
  const put = { action: "events:PutRule", resource, context: { ...tagContext(events, call, Name), ...requestTags(Tags) } };
  const tag = { action: "events:TagResource", resource, context: requestTags(Tags) };
  return [put, ...(Tags?.length ? [tag] : []), ...passRole(RoleArn)];
}

function put(events: Events, input: PutRuleRequest, call: Call): PutRuleResponse {
  checkBus(call, input.EventBusName);
  const { Name = "", EventPattern, ScheduleExpression, Description, RoleArn, State } = input;
  if (!NAME.test(Name))
    throw validation(
      `1 validation error detected: Value '${Name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+`,
    );
  if (EventPattern === undefined && ScheduleExpression === undefined)
    throw validation("Parameter(s) EventPattern or ScheduleExpression must be specified.");
  if (State === "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    throw notProvided("the state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
  if (EventPattern !== undefined) checkPattern(EventPattern);
  if (ScheduleExpression !== undefined) checkSchedule(ScheduleExpression);
  const before = events.store.rules.get([call.account, call.region, Name]);
  const rule: Rule = {
    arn: ruleArn(call, Name),
    name: Name,
    account: call.account,
    region: call.region,
    state: State ?? "ENABLED",
    createdBy: call.account,
    changedAt: events.core.clock.now().toISOString(),
    tags: before?.tags ?? readTags(input.Tags),
    ...(EventPattern !== undefined && { eventPattern: EventPattern }),
    ...(ScheduleExpression !== undefined && { scheduleExpression: ScheduleExpression }),
    ...(Description !== undefined && { description: Description }),
    ...(RoleArn !== undefined && { roleArn: RoleArn }),
  };
  keep(events, rule);
  return { RuleArn: rule.arn };
}

function keep(events: Events, rule: Rule): void {
  events.store.rules.put(ruleKey(rule), rule);
  events.scheduler.follow(rule);
}

/** @throws AwsError InvalidEventPatternException */
export function checkPattern(pattern: string): ReturnType<typeof compilePattern> {
  try {
    return compilePattern(pattern);
  } catch (error) {
    if (error instanceof InvalidPattern) throw invalidPattern(error.message);
    throw error;
  }
}

function checkSchedule(expression: string): void {
  try {
    parseSchedule(expression);
  } catch (error) {
    if (error instanceof InvalidSchedule) throw validation(`Parameter ScheduleExpression is not valid: ${error.message}`);
    throw error;
  }
}

/** Deleting a rule that is not there succeeds; one with targets is refused. */
function remove(events: Events, input: DeleteRuleRequest, call: Call): object {
  checkBus(call, input.EventBusName);
  const key = [call.account, call.region, input.Name ?? ""];
  if (events.store.targets.count(key) > 0) throw validation("Rule can't be deleted since it has targets.");
  events.store.rules.delete(key);
  events.scheduler.forget(ruleArn(call, input.Name ?? ""));
  return {};
}

function setState(events: Events, rule: Rule, state: Rule["state"]): object {
  keep(events, { ...rule, state, changedAt: events.core.clock.now().toISOString() });
  return {};
}

const toItem = (rule: Rule): RuleItem => ({
  Name: rule.name,
  Arn: rule.arn,
  State: rule.state,
  EventBusName: "default",
  ...(rule.eventPattern !== undefined && { EventPattern: rule.eventPattern }),
  ...(rule.scheduleExpression !== undefined && { ScheduleExpression: rule.scheduleExpression }),
  ...(rule.description !== undefined && { Description: rule.description }),
  ...(rule.roleArn !== undefined && { RoleArn: rule.roleArn }),
});

const describe = (rule: Rule): DescribeRuleResponse => ({ ...toItem(rule), CreatedBy: rule.createdBy });

function list({ store }: Events, { NamePrefix = "", Limit, NextToken, EventBusName }: ListRulesRequest, call: Call): ListRulesResponse {
  checkBus(call, EventBusName);
  const rules = store.rules
    .list([call.account, call.region])
    .map(({ value }) => value)
    .filter(({ name }) => name.startsWith(NamePrefix));
  const { items, next } = pageOf(rules, { limit: Limit, token: NextToken, nameOf: ({ name }) => name });
  return { Rules: items.map(toItem), ...next };
}

function listByTarget(
  { store }: Events,
  { TargetArn = "", Limit, NextToken, EventBusName }: ListRuleNamesByTargetRequest,
  call: Call,
): ListRuleNamesByTargetResponse {
  checkBus(call, EventBusName);
  const found = store.targets.find("arn", TargetArn).filter(({ key }) => key[0] === call.account && key[1] === call.region);
  const { items, next } = pageOf([...new Set(found.map(({ key }) => key[2] ?? ""))], {
    limit: Limit,
    token: NextToken,
    nameOf: (name) => name,
  });
  return { RuleNames: [...items], ...next };
}
