import { expect, test } from "vitest";
import { type BusEvent, targetInput } from "./target-input.ts";

const EVENT: BusEvent = {
  version: "0",
  id: "1",
  "detail-type": "Run Status Change",
  source: "aws.omics",
  account: "111122223333",
  time: "2026-01-02T03:04:05Z",
  region: "us-east-1",
  resources: ["arn:x"],
  detail: { status: "FAILED", count: 2, quote: 'say "hi"', nested: { a: [1, 2] } },
};
const RULE = { ruleArn: "arn:aws:events:us-east-1:111122223333:rule/r", ruleName: "r" };
const input = (target: Parameters<typeof targetInput>[0]) => targetInput(target, EVENT, RULE);

test("the whole event, a constant, a part", () => {
  expect(JSON.parse(input({}))).toEqual(EVENT);
  expect(input({ Input: '{"a":1}' })).toBe('{"a":1}');
  expect(input({ InputPath: "$.detail.nested" })).toBe('{"a":[1,2]}');
  expect(input({ InputPath: "$.detail.none" })).toBe("null");
});

test.each([
  ['{"status": <s>, "n": <c>}', '{"status": "FAILED", "n": 2}'],
  ['{"text": "it is <s> (<c>)"}', '{"text": "it is FAILED (2)"}'],
  ['{"q": "<q>"}', String.raw`{"q": "say \"hi\""}`],
  ['"<s> in <aws.events.rule-name>"', '"FAILED in r"'],
  ['{"o": <o>}', '{"o": {"a":[1,2]}}'],
  ['{"o": "<o>"}', String.raw`{"o": "{\"a\":[1,2]}"}`],
  ['{"m": "<m>", "k": <m>}', '{"m": "", "k": null}'],
  ["<unknown> stays", "<unknown> stays"],
])("template %s", (InputTemplate, expected) => {
  const InputPathsMap = { s: "$.detail.status", c: "$.detail.count", q: "$.detail.quote", o: "$.detail.nested", m: "$.detail.missing" };
  expect(input({ InputTransformer: { InputPathsMap, InputTemplate } })).toBe(expected);
});

test("the event itself in a template", () => {
  expect(JSON.parse(input({ InputTransformer: { InputTemplate: '{"e": <aws.events.event>}' } }))).toEqual({ e: EVENT });
});
