import { describe, expect, test } from "vitest";

import { parseAccountId } from "../../kit/account-id.ts";
import { conditionValues } from "./condition-values.ts";
import type { ApplicablePolicies } from "./decision.ts";
import { evaluate } from "./evaluate.ts";
import type { NamedPolicy, Principal } from "./principal.ts";
import { compileTemplate } from "./template.ts";

/** Numbers that repeat for a seed, so that a failure can be looked at again (Park and Miller's generator). */
function numbers(seed: number) {
  let state = seed;
  const below = (limit: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
  return { below, pick: <T>(from: readonly T[]): T => from[below(from.length)]! };
}

describe("wildcards agree with regular expressions", () => {
  const toRegex = (pattern: string) =>
    new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("*", "[^]*")
        .replaceAll("?", "[^]")}$`,
    );
  test.each([1, 2, 3, 4, 5])("seed %i", (seed) => {
    const { below, pick } = numbers(seed);
    const text = (alphabet: string) => Array.from({ length: below(9) }, () => pick([...alphabet])).join("");
    for (let round = 0; round < 4000; round++) {
      const [pattern, value] = [text("ab*?."), text("ab.")];
      const matched = compileTemplate(pattern, { variables: true, wildcards: true }).matches(value, conditionValues({}));
      expect(matched, `${pattern} on ${value}`).toBe(toRegex(pattern).test(value));
    }
  });
});

const OWN = parseAccountId("111122223333");
const OTHER = parseAccountId("444455556666");
const WHO: readonly Principal[] = [
  { kind: "user", account: OWN, name: "anna", path: "/", id: "AIDA1" },
  { kind: "role", account: OWN, role: { name: "build", path: "/", id: "AROA1" }, sessionName: "s" },
  { kind: "root", account: OWN },
  { kind: "service", service: "omics.amazonaws.com" },
  { kind: "anonymous" },
];
const PRINCIPALS: readonly unknown[] = [
  "*",
  { AWS: OWN },
  { AWS: OTHER },
  { AWS: `arn:aws:iam::${OWN}:user/anna` },
  { AWS: `arn:aws:iam::${OWN}:role/build` },
  { AWS: `arn:aws:sts::${OWN}:assumed-role/build/s` },
  { Service: "omics.amazonaws.com" },
];

describe("whatever the policies", () => {
  const policyOf = (name: string, statements: readonly object[]): NamedPolicy => ({
    name,
    document: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
  });

  function situation(seed: number) {
    const { below, pick } = numbers(seed);
    const statement = (part: object) => ({
      Effect: pick(["Allow", "Allow", "Allow", "Deny"]),
      Action: pick(["s3:*", "s3:GetObject", "s3:PutObject"]),
      Resource: pick(["*", "arn:aws:s3:::b/*", "arn:aws:s3:::c/*"]),
      ...(below(3) === 0 && { Condition: { Bool: { "aws:SecureTransport": pick(["true", "false"]) } } }),
      ...part,
    });
    const some = (part: () => object) => Array.from({ length: below(3) + 1 }, () => statement(part()));
    const policies: ApplicablePolicies = {
      identity:
        below(3) === 0
          ? []
          : [
              policyOf(
                "identity",
                some(() => ({})),
              ),
            ],
      ...(below(2) === 0 && {
        resource: policyOf(
          "resource",
          some(() => ({ Principal: pick(PRINCIPALS) })),
        ),
      }),
      ...(below(4) === 0 && {
        session: [
          policyOf(
            "session",
            some(() => ({})),
          ),
        ],
      }),
      resourceAccount: pick([OWN, OTHER]),
      mode: pick(["resource", "key", "trust"] as const),
    };
    const request = {
      principal: pick(WHO),
      action: "s3:GetObject",
      resource: "arn:aws:s3:::b/k",
      context: { "aws:SecureTransport": "true" },
    };
    return { request, policies };
  }
  const SEEDS = Array.from({ length: 3000 }, (_, index) => index + 1);
  const deny = policyOf("deny", [{ Effect: "Deny", Action: "*", Resource: "*", Principal: "*" }]);
  const allow = { Effect: "Allow", Action: "*", Resource: "*" };

  test("one more denial denies", () => {
    for (const seed of SEEDS) {
      const { request, policies } = situation(seed);
      for (const more of [{ resource: deny }, { identity: [...policies.identity, deny] }, { session: [...(policies.session ?? []), deny] }])
        expect(evaluate(request, { ...policies, ...more }).allowed, `seed ${seed}`).toBe(false);
    }
  });

  test("one more permission of the identity takes nothing away, and a session policy gives nothing", () => {
    for (const seed of SEEDS) {
      const { request, policies } = situation(seed);
      const { allowed } = evaluate(request, policies);
      const wider = evaluate(request, { ...policies, identity: [...policies.identity, policyOf("more", [allow])] });
      if (allowed) expect(wider.allowed, `seed ${seed}`).toBe(true);
      const narrower = evaluate(request, { ...policies, session: [policyOf("session", [allow])] });
      if (!policies.session) expect(narrower.allowed, `seed ${seed}`).toBe(allowed);
    }
  });

  test("another account's resource is never given by an identity-based policy alone, nobody gets in by one at all", () => {
    for (const seed of SEEDS) {
      const { request, policies } = situation(seed);
      const { resource: _without, ...rest } = policies;
      const alone = evaluate(request, { ...rest, identity: [policyOf("all", [allow])] });
      const isOwn = request.principal.kind !== "anonymous" && request.principal.kind !== "service" && policies.resourceAccount === OWN;
      if (!isOwn || policies.mode !== "resource") expect(alone.allowed, `seed ${seed}`).toBe(false);
    }
  });

  test("every denial says who, what, on what and why", () => {
    for (const seed of SEEDS) {
      const { request, policies } = situation(seed);
      const { allowed, reason } = evaluate(request, policies);
      if (!allowed)
        expect(reason).toMatch(
          /^User: \S+ is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b\/k (because no .* policy allows the s3:GetObject action|with an explicit deny in an? .* policy \(statement)/,
        );
    }
  });
});
