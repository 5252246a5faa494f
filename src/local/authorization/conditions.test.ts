import { describe, expect, test } from "vitest";

import { conditionValues } from "./condition-values.ts";
import { allHold, compileCondition, type Verdict } from "./conditions.ts";

type Context = Record<string, string | readonly string[]>;
const holds = (operator: string, [key, wanted]: readonly [string, string | readonly string[]], context: Context): Verdict =>
  allHold([compileCondition({ operator, key, wanted: [wanted].flat(), variables: true })], conditionValues(context));

const KEY = "aws:PrincipalTag/x";
const ask = (
  operator: string,
  wanted: string | readonly string[],
  value: string | readonly string[] | undefined,
  more: Context = {},
): Verdict => holds(operator, [KEY, wanted], { ...more, ...(value !== undefined && { [KEY]: value }) });

describe("each operator, on a value that matches and one that does not", () => {
  test.each([
    ["StringEquals", "Ab", "Ab", "ab"],
    ["StringEquals", "a*", "a*", "ab"],
    ["StringEqualsIgnoreCase", "Ab", "aB", "b"],
    ["StringLike", "a*c?", "abbcd", "abbc"],
    ["StringLike", "*", "", undefined],
    ["StringLike", ["x", "y*"], "yes", "no"],
    ["StringLike", "a?c", "abc", "ac"],
    ["StringLike", "*a*b*c*", "xxaxxbxxcxx", "xxaxxcxxbxx"],
    ["NumericEquals", "10", "10.0", "11"],
    ["NumericLessThan", "10", "9.99", "10"],
    ["NumericLessThanEquals", "10", "10", "10.01"],
    ["NumericGreaterThan", "-1", "0", "-1"],
    ["NumericGreaterThanEquals", "10", "10", "9"],
    ["NumericEquals", "10", "10", "ten"],
    ["DateEquals", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000Z", "2026-11-21T10:00:01Z"],
    ["DateEquals", "1795255200", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"],
    ["DateLessThan", "2026-11-21T10:00:00Z", "2026-11-21T09:59:59Z", "2026-11-21T10:00:00Z"],
    ["DateLessThanEquals", "2026-11-21", "2026-11-21T00:00:00Z", "2026-11-21T00:00:01Z"],
    ["DateGreaterThan", "2026-11-21T10:00:00+01:00", "2026-11-21T09:00:01Z", "2026-11-21T09:00:00Z"],
    ["DateGreaterThanEquals", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z", "2026-11-21T09:59:59Z"],
    ["Bool", "true", "TRUE", "false"],
    ["BinaryEquals", "QmluYXJ5", "QmluYXJ5", "QmluYXJ6"],
    ["IpAddress", "203.0.113.0/24", "203.0.113.255", "203.0.114.0"],
    ["IpAddress", ["10.0.0.0/8", "192.0.2.1"], "192.0.2.1", "192.0.2.2"],
    ["IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", "2001:db8:1234:5679::1"],
    ["IpAddress", "10.0.0.0/8", "10.1.2.3", "nonsense"],
    ["ArnEquals", "arn:aws:sns:*:1:t*", "arn:aws:sns:eu-west-1:1:topic", "arn:aws:sns:eu-west-1:2:topic"],
    ["ArnLike", "arn:aws:s3:::b/*", "arn:aws:s3:::b/a:b/c", "arn:aws:s3:::c/a"],
    // A wildcard reaches no further than its segment.
    ["ArnLike", "arn:aws:sns:*:topic:x", "arn:aws:sns:eu:topic:x", "arn:aws:sns:eu-west-1:1:topic:x"],
  ])("%s %j: %j but not %j", (operator, wanted, match, other) => {
    expect(ask(operator, wanted, match)).toBe(true);
    if (other !== undefined) expect(ask(operator, wanted, other)).toBe(false);
    const negated = operator.startsWith("IpAddress")
      ? "NotIpAddress"
      : operator.replace(/^(String|Numeric|Date|Arn)(Equals|Like)/, "$1Not$2");
    if (negated === operator || /Than/.test(operator)) return;
    expect(ask(negated, wanted, match)).toBe(false);
    if (other !== undefined) expect(ask(negated, wanted, other)).toBe(true);
  });
});

describe("a key the request does not have", () => {
  test.each([
    ["StringEquals", false],
    ["StringLike", false],
    ["NumericLessThan", false],
    ["DateGreaterThan", false],
    ["Bool", false],
    ["BinaryEquals", false],
    ["IpAddress", false],
    ["ArnLike", false],
    ["StringNotEquals", true],
    ["StringNotLike", true],
    ["NumericNotEquals", true],
    ["DateNotEquals", true],
    ["NotIpAddress", true],
    ["ArnNotEquals", true],
    ["StringEqualsIfExists", true],
    ["StringNotEqualsIfExists", true],
    ["BoolIfExists", true],
    ["IpAddressIfExists", true],
    ["ArnLikeIfExists", true],
    ["ForAllValues:StringEquals", true],
    ["ForAllValues:StringNotEquals", true],
    ["ForAnyValue:StringEquals", false],
    ["ForAnyValue:StringNotEquals", false],
    ["ForAnyValue:StringEqualsIfExists", true],
  ] as const)("%s: %s", (operator, expected) => {
    const wanted =
      { Bool: "true", Nume: "1", Date: "2026-01-01", IpAd: "10.0.0.0/8", NotI: "10.0.0.0/8", Bina: "QQ==" }[operator.slice(0, 4)] ??
      "arn:aws:a:b:c:d";
    expect(ask(operator, wanted, undefined)).toBe(expected);
  });
  test("Null asks for just that", () => {
    expect(ask("Null", "true", undefined)).toBe(true);
    expect(ask("Null", "true", "x")).toBe(false);
    expect(ask("Null", "false", undefined)).toBe(false);
    expect(ask("Null", "false", "x")).toBe(true);
  });
});

describe("keys with several values", () => {
  test.each([
    ["ForAllValues:StringEquals", ["a", "b"], ["a"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "c"], false],
    ["ForAllValues:StringNotEquals", ["a"], ["b", "c"], true],
    ["ForAllValues:StringNotEquals", ["a"], ["a", "c"], false],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c", "a"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], false],
    ["ForAnyValue:StringNotEquals", ["a"], ["a", "b"], true],
    ["ForAnyValue:StringNotEquals", ["a"], ["a"], false],
    ["ForAllValues:StringLike", ["x*"], ["x1", "x2"], true],
    ["ForAllValues:StringEquals", ["a"], [], true],
    ["StringEquals", ["a"], ["b", "a"], true],
    ["StringNotEquals", ["a"], ["b", "a"], false],
  ] as const)("%s %j of %j: %s", (operator, wanted, values, expected) => {
    expect(ask(operator, wanted, values)).toBe(expected);
  });
});

describe("policy variables", () => {
  const who = { "aws:username": "anna", "aws:userid": "AIDA:x" };
  test.each([
    ["StringEquals", "home-${aws:username}", "home-anna", true],
    ["StringEquals", "home-${AWS:UserName}", "home-anna", true],
    ["StringEquals", "${aws:PrincipalTag/team, 'none'}", "none", true],
    ["StringLike", "${aws:username}/*", "anna/x", true],
    ["StringEqualsIgnoreCase", "HOME-${aws:username}", "home-ANNA", true],
    ["StringEquals", "${*}${?}${$}", "*?$", true],
    ["ArnLike", "arn:aws:iam::1:user/${aws:userid}", "arn:aws:iam::1:user/AIDA:x", true],
    ["StringEquals", "${aws:SourceIdentity}", "", false],
    // Nobody can say what it is unlike: an Allow does not allow, a Deny denies.
    ["StringNotEquals", "${aws:SourceIdentity}", "x", "unknown"],
  ] as const)("%s %j on %j: %s", (operator, wanted, value, expected) => {
    expect(ask(operator, wanted, value, who)).toBe(expected);
  });
  test("a star in a value is a star", () => {
    expect(ask("StringLike", "${aws:username}", "anna", { "aws:username": "*" })).toBe(false);
    expect(ask("StringLike", "${aws:username}", "*", { "aws:username": "*" })).toBe(true);
  });
  test("are plain text in policies older than 2012-10-17", () => {
    const condition = compileCondition({ operator: "StringEquals", key: KEY, wanted: ["${aws:username}"], variables: false });
    expect(condition.holds(conditionValues({ [KEY]: "${aws:username}" }))).toBe(true);
  });
});

describe("what is not known", () => {
  test.each([
    ["an operator", "StringSounds", KEY, "a", 'the condition operator "StringSounds" is not known'],
    ["an operator that every object has", "constructor", KEY, "a", 'the condition operator "constructor" is not known'],
    ["IfExists on Null", "NullIfExists", KEY, "true", 'the condition operator "NullIfExists" is not known'],
    ["a key", "StringEquals", "aws:Nonsense", "a", 'the condition key "aws:Nonsense" is not known'],
    ["a number that is none", "NumericEquals", KEY, "ten", '"ten" is not a value for the condition operator "NumericEquals"'],
    ["a network that is none", "IpAddress", KEY, "10.0.0.0/33", '"10.0.0.0/33" is not a value'],
    ["a date that is none", "DateEquals", KEY, "tomorrow", '"tomorrow" is not a value'],
  ])("%s", (_what, operator, key, wanted, why) => {
    const condition = compileCondition({ operator, key, wanted: [wanted], variables: true });
    expect(condition.holds(conditionValues({ [KEY]: "10" }))).toBe("unknown");
    expect(condition.unknown).toContain(why);
  });
  test("a key nobody lists but the request has is taken as it is", () => {
    expect(holds("StringEquals", ["ecr:Nonsense", "a"], { "ecr:nonsense": "a" })).toBe(true);
  });
  test("one condition that fails decides, whatever is unknown beside it", () => {
    const conditions = [
      ["aws:Nonsense", "a"],
      [KEY, "a"],
    ].map(([key, wanted]) => compileCondition({ operator: "StringEquals", key: key!, wanted: [wanted!], variables: true }));
    expect(allHold(conditions, conditionValues({ [KEY]: "b" }))).toBe(false);
    expect(allHold(conditions, conditionValues({ [KEY]: "a" }))).toBe("unknown");
  });
});

test("operators and keys are read in any case", () => {
  expect(holds("stringequals", ["AWS:PRINCIPALTAG/X", "a"], { [KEY]: "a" })).toBe(true);
  expect(holds("foranyvalue:stringlikeifexists", ["aws:tagkeys", "a*"], { "aws:TagKeys": ["b", "ab"] })).toBe(true);
});

// With backtracking this would not end in a lifetime.
test("no pattern makes matching slow", () => {
  expect(ask("StringLike", `${"*a".repeat(200)}b`, "a".repeat(5000))).toBe(false);
});
