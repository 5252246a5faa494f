import { describe, expect, test } from "vitest";

import { parseAccountId } from "../../kit/account-id.ts";
import { conditionContext } from "./condition-context.ts";
import type { ApplicablePolicies } from "./decision.ts";
import { evaluate } from "./evaluate.ts";
import { anonymous, type NamedPolicy, type Principal, type RoleSession, type User } from "./principal.ts";

const OWN = parseAccountId("111122223333");
const OTHER = parseAccountId("444455556666");
const user: User = { kind: "user", account: OWN, name: "anna", path: "/team/", id: "AIDAAAAAAAAAAAAAAAAAA" };
const role: RoleSession = {
  kind: "role",
  account: OWN,
  role: { name: "build", path: "/ci/", id: "AROAAAAAAAAAAAAAAAAAA" },
  sessionName: "run",
};
const root: Principal = { kind: "root", account: OWN };
const omics: Principal = {
  kind: "service",
  service: "omics.amazonaws.com",
  sourceAccount: OWN,
  sourceArn: `arn:aws:omics:us-east-1:${OWN}:run/1`,
};

const ROLE_ARN = `arn:aws:iam::${OWN}:role/ci/build`;
const SESSION_ARN = `arn:aws:sts::${OWN}:assumed-role/build/run`;
const USER_ARN = `arn:aws:iam::${OWN}:user/team/anna`;
const ROOT_ARN = `arn:aws:iam::${OWN}:root`;

const document = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const named = (name: string, ...statements: object[]): NamedPolicy => ({ name, document: document(...statements) });
const allow = (part: object = {}) => ({ Sid: "Yes", Effect: "Allow", Action: "s3:GetObject", Resource: "*", ...part });
const deny = (part: object = {}) => ({ Sid: "No", Effect: "Deny", Action: "s3:GetObject", Resource: "*", ...part });

const OBJECT = "arn:aws:s3:::bucket/key";
interface Case extends Partial<ApplicablePolicies> {
  readonly who?: Principal;
  readonly action?: string;
  readonly object?: string;
  readonly context?: Record<string, string | readonly string[]>;
}
const decide = ({ who = user, action = "s3:GetObject", object = OBJECT, context = {}, ...policies }: Case) =>
  evaluate(
    {
      principal: who,
      action,
      resource: object,
      context: { ...conditionContext({ principal: who, now: new Date(0), region: "us-east-1" }), ...context },
    },
    { identity: [], resourceAccount: OWN, ...policies },
  );
const identity = [named("identity", allow())];
const resource = (Principal: unknown, ...more: object[]) => named("the bucket policy", allow({ Principal }), ...more);

describe("within an account", () => {
  test.each([
    ["nothing says anything", {}, false],
    ["an identity-based policy allows", { identity }, true],
    ["the root needs no policy", { who: root }, true],
    ["the resource names the user", { resource: resource({ AWS: USER_ARN }) }, true],
    ["the resource names the role", { who: role, resource: resource({ AWS: ROLE_ARN }) }, true],
    ["the resource names the session", { who: role, resource: resource({ AWS: SESSION_ARN }) }, true],
    ["the resource names everybody", { resource: resource("*") }, true],
    ["the resource names everybody, the long way", { resource: resource({ AWS: "*" }) }, true],
    ["the resource names the account, which grants nothing by itself", { resource: resource({ AWS: ROOT_ARN }) }, false],
    ["the resource names the account, and the user has leave", { identity, resource: resource({ AWS: OWN }) }, true],
    ["the resource names somebody else", { resource: resource({ AWS: `arn:aws:iam::${OWN}:user/anna` }) }, false],
    ["the resource names a unique id", { resource: resource({ AWS: user.id }) }, true],
    ["the resource lets a service in, not the user", { resource: resource({ Service: "omics.amazonaws.com" }) }, false],
    ["the resource lets the service in", { who: omics, resource: resource({ Service: ["x.amazonaws.com", "omics.amazonaws.com"] }) }, true],
    ["a service has no identity-based policies", { who: omics, identity }, false],
    ["nobody may what everybody may", { who: anonymous, resource: resource("*") }, true],
    ["nobody may not what the account may", { who: anonymous, resource: resource({ AWS: OWN }) }, false],
  ] as const)("%s", (_what, given, allowed) => {
    expect(decide(given).allowed).toBe(allowed);
  });
});

describe("across accounts both sides must allow", () => {
  const theirs = { resourceAccount: OTHER };
  test.each([
    ["only the identity", { identity }, false],
    ["only the resource", { resource: resource({ AWS: USER_ARN }) }, false],
    ["both, by user", { identity, resource: resource({ AWS: USER_ARN }) }, true],
    ["both, by account", { identity, resource: resource({ AWS: OWN }) }, true],
    ["both, by session", { who: role, identity, resource: resource({ AWS: SESSION_ARN }) }, true],
    ["the resource's own account is not the user's", { identity, resource: resource({ AWS: OTHER }) }, false],
    ["the root with the resource", { who: root, resource: resource({ AWS: OWN }) }, true],
    ["the root alone", { who: root }, false],
  ] as const)("%s", (_what, given, allowed) => {
    expect(decide({ ...theirs, ...given }).allowed).toBe(allowed);
  });
});

describe("a session policy limits", () => {
  const session = [named("the session policy", allow({ Action: "s3:List*" }))];
  test.each([
    ["what the role may", { identity }, false],
    ["what the resource grants the role", { resource: resource({ AWS: ROLE_ARN }) }, false],
    ["what the resource grants everybody", { resource: resource("*") }, false],
    ["not what the resource grants the very session", { resource: resource({ AWS: SESSION_ARN }) }, true],
    ["nothing it allows too", { identity, session: [named("s", allow())] }, true],
    ["and grants nothing", { session: [named("s", allow())] }, false],
    ["by explicit denial too", { identity, session: [named("s", allow(), deny())] }, false],
  ] as const)("%s", (_what, given, allowed) => {
    expect(decide({ who: role, session, ...given }).allowed).toBe(allowed);
  });
});

describe("a key policy and a trust policy must allow by themselves", () => {
  test.each(["key", "trust"] as const)("%s", (mode) => {
    const may = (given: Case) => decide({ mode, ...given }).allowed;
    expect(may({ identity })).toBe(false);
    expect(may({ who: root })).toBe(false);
    expect(may({ resource: resource({ AWS: ROOT_ARN }) })).toBe(false);
    expect(may({ identity, resource: resource({ AWS: ROOT_ARN }) })).toBe(true);
    expect(may({ who: root, resource: resource({ AWS: ROOT_ARN }) })).toBe(true);
    expect(may({ resource: resource({ AWS: USER_ARN }) })).toBe(true);
    expect(may({ resourceAccount: OTHER, resource: resource({ AWS: USER_ARN }) })).toBe(false);
    expect(may({ resourceAccount: OTHER, identity, resource: resource({ AWS: OWN }) })).toBe(true);
    expect(may({ who: omics, resource: resource({ Service: "omics.amazonaws.com" }) })).toBe(true);
  });
  test("a trust policy has no resource element", () => {
    const trust = named("the trust policy", { Effect: "Allow", Principal: { AWS: USER_ARN }, Action: "sts:AssumeRole" });
    expect(decide({ mode: "trust", action: "sts:AssumeRole", object: ROLE_ARN, resource: trust }).allowed).toBe(true);
  });
});

describe("an explicit deny wins", () => {
  test.each([
    [
      "in an identity-based policy",
      { identity: [...identity, named("stop", deny())] },
      'with an explicit deny in an identity-based policy (statement "No" of stop)',
    ],
    [
      "in a resource-based policy",
      { identity, resource: named("the bucket policy", deny({ Principal: "*" })) },
      'with an explicit deny in a resource-based policy (statement "No" of the bucket policy)',
    ],
    [
      "in a session policy",
      { who: role, identity, session: [named("s", allow(), deny())] },
      'with an explicit deny in a session policy (statement "No" of s)',
    ],
    ["for the whole account", { identity, resource: named("p", deny({ Principal: { AWS: OWN } })) }, "explicit deny"],
    ["for the root", { who: root, resource: named("p", deny({ Principal: { AWS: ROOT_ARN } })) }, "explicit deny"],
    [
      "by everything but what is named",
      { identity: [...identity, named("p", deny({ Action: undefined, NotAction: "s3:Put*" }))] },
      "explicit deny",
    ],
  ] as const)("%s", (_what, given, reason) => {
    expect(decide(given)).toMatchObject({ allowed: false, reason: expect.stringContaining(reason) });
  });
  test("unless its conditions do not hold", () => {
    const insecure = deny({ Principal: "*", Condition: { Bool: { "aws:SecureTransport": "false" } } });
    expect(decide({ identity, resource: named("p", insecure) }).allowed).toBe(true);
    expect(decide({ identity, resource: named("p", insecure), context: { "aws:SecureTransport": "false" } }).allowed).toBe(false);
  });
});

describe("NotPrincipal", () => {
  const denyAllBut = (...AWS: string[]) => named("p", deny({ NotPrincipal: { AWS } }));
  test("leaves out who is listed with the account", () => {
    expect(decide({ identity, resource: denyAllBut(USER_ARN, ROOT_ARN) }).allowed).toBe(true);
    expect(decide({ who: role, identity, resource: denyAllBut(ROLE_ARN, SESSION_ARN, ROOT_ARN) }).allowed).toBe(true);
  });
  test("denies who is listed without it, and who is not listed", () => {
    expect(decide({ identity, resource: denyAllBut(USER_ARN) }).allowed).toBe(false);
    expect(decide({ identity, resource: denyAllBut(`${USER_ARN}x`, ROOT_ARN) }).allowed).toBe(false);
    expect(decide({ who: anonymous, resource: denyAllBut(USER_ARN, ROOT_ARN) }).allowed).toBe(false);
  });
});

describe("actions and resources", () => {
  const may = (statement: object, given: Case = {}) => decide({ identity: [named("i", allow(statement))], ...given }).allowed;
  test.each([
    [{ Action: "*" }, true],
    [{ Action: "S3:getobject" }, true],
    [{ Action: "s3:Get*" }, true],
    [{ Action: "s3:?etObject" }, true],
    [{ Action: "*:GetObject" }, true],
    [{ Action: "s3:GetObjectAcl" }, false],
    [{ Action: "s3:Put*" }, false],
    [{ Action: ["s3:PutObject", "s3:GetObject"] }, true],
    [{ Action: undefined, NotAction: "s3:Put*" }, true],
    [{ Action: undefined, NotAction: ["s3:Put*", "s3:Get*"] }, false],
    [{ Resource: OBJECT }, true],
    [{ Resource: "arn:aws:s3:::bucket/*" }, true],
    [{ Resource: "arn:aws:s3:::*" }, true],
    [{ Resource: "arn:*:s3:::bucket/k?y" }, true],
    [{ Resource: "arn:aws:s3:::bucket" }, false],
    [{ Resource: "arn:aws:s3:::Bucket/key" }, false],
    [{ Resource: "arn:aws:s3:*:*:bucket/*" }, true],
    [{ Resource: undefined, NotResource: "arn:aws:s3:::other/*" }, true],
    [{ Resource: undefined, NotResource: "arn:aws:s3:::bucket/*" }, false],
  ] as const)("%j: %s", (statement, expected) => {
    expect(may(statement)).toBe(expected);
  });
  test("a wildcard of a resource stays in its segment", () => {
    const queue = { object: `arn:aws:sqs:us-east-1:${OWN}:queue:a` };
    expect(may({ Resource: "arn:aws:sqs:*:queue:a" }, queue)).toBe(false);
    expect(may({ Resource: `arn:aws:sqs:us-*-1:${OWN}:*` }, queue)).toBe(true);
  });
  test("variables of the resource", () => {
    expect(may({ Resource: "arn:aws:s3:::bucket/${aws:username}/*" }, { object: "arn:aws:s3:::bucket/anna/x" })).toBe(true);
    expect(may({ Resource: "arn:aws:s3:::bucket/${aws:username}/*" }, { object: "arn:aws:s3:::bucket/bert/x" })).toBe(false);
    expect(may({ Resource: "arn:aws:s3:::bucket/${aws:username}/*" }, { who: role, object: "arn:aws:s3:::bucket//x" })).toBe(false);
    expect(may({ Resource: undefined, NotResource: "arn:aws:s3:::${aws:SourceIdentity}/*" })).toBe(false);
    expect(
      decide({ identity: [...identity, named("i", deny({ Resource: undefined, NotResource: "arn:aws:s3:::${aws:SourceIdentity}/*" }))] })
        .allowed,
    ).toBe(false);
  });
  test("an action without resources wants a star", () => {
    expect(may({ Action: "s3:ListAllMyBuckets", Resource: "arn:aws:s3:::*" }, { action: "s3:ListAllMyBuckets", object: "*" })).toBe(false);
    expect(may({ Action: "s3:ListAllMyBuckets", Resource: "*" }, { action: "s3:ListAllMyBuckets", object: "*" })).toBe(true);
  });
});

describe("the reason", () => {
  const opening = `User: ${USER_ARN} is not authorized to perform: s3:GetObject on resource: ${OBJECT}`;
  test.each([
    ["no identity-based policy", {}, `${opening} because no identity-based policy allows the s3:GetObject action`],
    [
      "no resource-based policy",
      { identity, resourceAccount: OTHER },
      `${opening} because no resource-based policy allows the s3:GetObject action`,
    ],
    [
      "no session policy",
      { who: role, identity, session: [named("s", allow({ Action: "s3:Put*" }))] },
      "because no session policy allows the s3:GetObject action",
    ],
    ["no role trust policy", { mode: "trust" as const }, "because no role trust policy allows"],
    [
      "a condition that failed",
      { identity: [named("i", allow({ Condition: { StringEquals: { "aws:SourceVpce": "x" } } }))] },
      'i: statement "Yes" allows it only where StringEquals aws:SourceVpce holds; the request does not have the key',
    ],
    [
      "the value that failed it",
      { identity: [named("i", allow({ Sid: undefined, Condition: { StringEquals: { "aws:username": "bert" } } }))] },
      'statement "#1" allows it only where StringEquals aws:username holds; the request has "anna"',
    ],
  ] as const)("names %s", (_what, given, reason) => {
    expect(decide(given).reason).toContain(reason);
  });
  test("names what allowed", () => {
    expect(decide({ identity }).reason).toBe('allowed by statement "Yes" of identity');
  });
});

describe("what is not known denies and is named", () => {
  test.each([
    ["an element of the statement", { Verb: "x" }, 'the element "Verb" is not known'],
    ["an operator", { Condition: { StringSounds: { "aws:username": "anna" } } }, 'the condition operator "StringSounds" is not known'],
    ["a condition key", { Condition: { StringNotEquals: { "aws:Nonsense": "x" } } }, 'the condition key "aws:Nonsense" is not known'],
    ["an effect", { Effect: "Perhaps" }, 'the effect "Perhaps" is not known'],
  ])("%s", (_what, part, why) => {
    expect(decide({ identity: [named("i", allow(part))] })).toMatchObject({ allowed: false, reason: expect.stringContaining(why) });
    if ("Effect" in part) return;
    expect(decide({ identity: [...identity, named("i", deny(part))] })).toMatchObject({
      allowed: false,
      reason: expect.stringContaining(why),
    });
  });
  test("a principal type", () => {
    expect(decide({ identity, resource: named("p", deny({ Principal: { Robot: "*" } })) })).toMatchObject({
      allowed: false,
      reason: expect.stringContaining('"Robot"'),
    });
  });
  test("a text that is no policy", () => {
    expect(decide({ identity: [...identity, { name: "broken", document: "{" }] })).toMatchObject({
      allowed: false,
      reason: expect.stringContaining("broken can't be read"),
    });
  });
});

test("evaluations are fast enough to be asked for every request", () => {
  const statements = Array.from({ length: 20 }, (_, index) =>
    allow({ Sid: `S${index}`, Action: [`x${index}:*`], Condition: { StringLike: { "aws:username": "a*" } } }),
  );
  const policies = { identity: [named("many", ...statements, allow())], resource: resource({ AWS: USER_ARN }), resourceAccount: OWN };
  const context = conditionContext({ principal: user, now: new Date(0), region: "us-east-1" });
  const rounds = 20_000;
  const started = performance.now();
  for (let index = 0; index < rounds; index++)
    evaluate({ principal: user, action: "s3:GetObject", resource: OBJECT, context: { ...context } }, policies);
  const perSecond = rounds / ((performance.now() - started) / 1000);
  // Measured 300,000 and more on one core; a busy machine is given room.
  expect(perSecond).toBeGreaterThan(20_000);
});
