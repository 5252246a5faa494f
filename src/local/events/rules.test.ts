import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  ListRuleNamesByTargetCommand,
  ListRulesCommand,
  ListTagsForResourceCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD, REGION } from "../testing/accounts.ts";
import { type EventsLab, openEventsLab } from "./testing/events-lab.ts";

let lab: EventsLab;
beforeAll(async () => {
  lab = await openEventsLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("rules and targets", () => {
  test("are put, described, listed, switched and deleted", async () => {
    const EventPattern = JSON.stringify({ source: ["a"] });
    const Arn = await lab.machine();
    const target = await lab.toMachine(Arn, { InputPath: "$.detail" });
    const Name = await lab.rule({ EventPattern, Description: "d", Tags: [{ Key: "team", Value: "a" }] }, target);
    const RuleArn = `arn:aws:events:${REGION}:${CICD}:rule/${Name}`;
    expect(await lab.events().send(new DescribeRuleCommand({ Name }))).toMatchObject({
      Name,
      Arn: RuleArn,
      EventPattern,
      Description: "d",
      State: "ENABLED",
      EventBusName: "default",
      CreatedBy: CICD,
    });
    await lab.events().send(new DisableRuleCommand({ Name }));
    expect((await lab.events().send(new ListRulesCommand({ NamePrefix: Name }))).Rules).toMatchObject([{ Name, State: "DISABLED" }]);
    await lab.events().send(new EnableRuleCommand({ Name }));
    expect((await lab.events().send(new ListTargetsByRuleCommand({ Rule: Name }))).Targets).toEqual([{ Id: "t", ...target }]);
    expect((await lab.events().send(new ListRuleNamesByTargetCommand({ TargetArn: Arn }))).RuleNames).toEqual([Name]);
    await lab.events().send(new TagResourceCommand({ ResourceARN: RuleArn, Tags: [{ Key: "b", Value: "2" }] }));
    await lab.events().send(new UntagResourceCommand({ ResourceARN: RuleArn, TagKeys: ["team"] }));
    expect((await lab.events().send(new ListTagsForResourceCommand({ ResourceARN: RuleArn }))).Tags).toEqual([{ Key: "b", Value: "2" }]);
    await expect(lab.events().send(new DeleteRuleCommand({ Name }))).rejects.toMatchObject({
      name: "ValidationException",
      message: "Rule can't be deleted since it has targets.",
    });
    await lab.events().send(new RemoveTargetsCommand({ Rule: Name, Ids: ["t"] }));
    await lab.events().send(new DeleteRuleCommand({ Name }));
    await lab.events().send(new DeleteRuleCommand({ Name }));
    await expect(lab.events().send(new DescribeRuleCommand({ Name }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("pages of rules", async () => {
    const names = await Promise.all([1, 2, 3].map(() => lab.rule({ EventPattern: '{"source":["paging"]}' })));
    const found: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await lab.events().send(new ListRulesCommand({ Limit: 2, NextToken }));
      expect(page.Rules!.length).toBeLessThanOrEqual(2);
      found.push(...page.Rules!.map(({ Name }) => Name!));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(found).toEqual(expect.arrayContaining(names));
    expect(new Set(found).size).toBe(found.length);
  });

  test.each([
    [
      { EventPattern: '{"a": [{"glob": 1}]}' },
      "InvalidEventPatternException",
      /Event pattern is not valid. Reason: Unrecognized match type glob/,
    ],
    [{}, "ValidationException", /EventPattern or ScheduleExpression/],
    [{ ScheduleExpression: "rate(5 minute)" }, "ValidationException", /ScheduleExpression is not valid/],
    [{ EventPattern: '{"a":[1]}', EventBusName: "custom" }, "ResourceNotFoundException", /Event bus custom does not exist/],
  ])("rule %j is refused", async (input, name, message) => {
    await expect(lab.events().send(new PutRuleCommand({ Name: "x", ...input }))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
    });
  });

  test.each([
    [{ Arn: "arn:aws:sqs:us-east-1:111122223333:q" }, /have no target like/],
    [{ Arn: "arn:aws:states:us-east-1:111122223333:stateMachine:m" }, /RoleArn is required/],
    [{ Arn: "arn:aws:lambda:us-east-1:111122223333:function:f", Input: "{" }, /JSON syntax error/],
    [{ Arn: "arn:aws:lambda:us-east-1:111122223333:function:f", Input: "{}", InputPath: "$.a" }, /Only one of/],
    [{ Arn: "arn:aws:lambda:us-east-1:111122223333:function:f", InputPath: "detail" }, /Invalid JSONPath/],
  ])("target %j is refused", async (target, message) => {
    const Rule = await lab.rule({ EventPattern: '{"source":["none"]}' });
    await expect(lab.events().send(new PutTargetsCommand({ Rule, Targets: [{ Id: "t", ...target }] }))).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message),
    });
  });

  test("a developer may neither put rules nor events", async () => {
    await expect(lab.events("developer").send(new PutRuleCommand({ Name: "x", EventPattern: "{}" }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    await expect(
      lab.events("developer").send(new PutEventsCommand({ Entries: [{ Source: "a", DetailType: "b", Detail: "{}" }] })),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
  });
});
