import { expect, test } from "vitest";
import {
  accountStatement,
  letsAccountRead,
  letsHealthOmicsRead,
  mergePolicy,
  omicsStatement,
  productionStatements,
  stagingStatements,
} from "./repository-policy.ts";

const cicd = { account: "111122223333", region: "us-east-1" };
const production = { account: "444455556666", region: "us-east-1" };
const statementsOf = (text: string | undefined) =>
  (JSON.parse(text ?? "{}") as { Statement: { Sid: string; Action: string[] }[] }).Statement;

test("a policy that others wrote keeps every statement of theirs", () => {
  const foreign = { Sid: "Theirs", Effect: "Allow", Principal: { AWS: "arn:aws:iam::999900001111:root" }, Action: "ecr:BatchGetImage" };
  const merged = mergePolicy(JSON.stringify({ Version: "2008-10-17", Statement: [foreign] }), stagingStatements(cicd));
  expect(statementsOf(merged)).toEqual([foreign, expect.objectContaining({ Sid: "OmxHealthOmics" })]);
});

test("the same statements again change nothing, also as ECR gives them back", () => {
  const once = mergePolicy(undefined, stagingStatements(cicd));
  expect(mergePolicy(once, stagingStatements(cicd))).toBeUndefined();
  const asEcrGivesIt = once?.replace('{"Service":"omics.amazonaws.com"}', '{"Service":["omics.amazonaws.com"]}');
  expect(mergePolicy(asEcrGivesIt, stagingStatements(cicd))).toBeUndefined();
  const [statement] = statementsOf(once);
  expect(
    mergePolicy(
      JSON.stringify({ Version: "2012-10-17", Statement: { ...statement, Action: statement?.Action.toReversed() } }),
      stagingStatements(cicd),
    ),
  ).toBeUndefined();
});

test("production is added once, beside what staging needs", () => {
  const staged = mergePolicy(undefined, stagingStatements(cicd));
  const promoted = mergePolicy(staged, productionStatements(production));
  expect(statementsOf(promoted).map((statement) => statement.Sid)).toEqual([
    "OmxHealthOmics",
    "OmxHealthOmics444455556666",
    "OmxAccount444455556666",
  ]);
  expect(mergePolicy(promoted, productionStatements(production))).toBeUndefined();
});

test("a statement of ours that was changed is put right", () => {
  const staged = mergePolicy(undefined, stagingStatements(cicd)) ?? "";
  const weakened = staged.replace(/,"Condition":\{.*?\}\}/, "");
  expect(statementsOf(mergePolicy(weakened, stagingStatements(cicd)))[0]).toHaveProperty("Condition");
});

test.each([
  ["for this account", [omicsStatement(cicd, "A")], true],
  ["for another account", [omicsStatement(production, "A")], false],
  ["for every account", [{ ...omicsStatement(cicd, "A"), Condition: {} }], true],
  [
    "for every account but this",
    [{ ...omicsStatement(cicd, "A"), Condition: { StringNotEquals: { "aws:SourceAccount": "999900001111" } } }],
    true,
  ],
  [
    "for several, by a list and a wildcard",
    [{ ...omicsStatement(cicd, "A"), Condition: { StringLike: { "AWS:SourceAccount": ["9999*", "1111*"] } } }],
    true,
  ],
  [
    "for the ARNs of another account",
    [{ ...omicsStatement(cicd, "A"), Condition: { ArnLike: { "aws:SourceArn": "arn:aws:omics:*:444455556666:*" } } }],
    false,
  ],
  ["for the roles of the account alone", [accountStatement(cicd, "A")], false],
  ["for nobody", [{ ...omicsStatement(cicd, "A"), Effect: "Deny" }], false],
  [
    "and denies everybody a part of it",
    [omicsStatement(cicd, "A"), { Sid: "B", Effect: "Deny", Principal: "*", Action: "ecr:Get*" }],
    false,
  ],
  [
    "and denies it to some, under a condition, or other things",
    [
      omicsStatement(cicd, "A"),
      { ...accountStatement(production, "B"), Effect: "Deny" },
      { ...omicsStatement(production, "C"), Effect: "Deny" },
      { Sid: "D", Effect: "Deny", Principal: "*", Action: "ecr:Delete*" },
      { Sid: "E", Effect: "Deny", Principal: { Service: "omics.amazonaws.com" }, NotAction: "ecr:*" },
    ],
    true,
  ],
])("whether HealthOmics may read, by a policy that lets it %s: %#", (_how, Statement, expected) => {
  expect(letsHealthOmicsRead(JSON.stringify({ Version: "2012-10-17", Statement }), cicd.account)).toBe(expected);
});

test("whether the roles of an account may read, by the spellings of a principal", () => {
  const may = (Principal: object | string) =>
    letsAccountRead(
      JSON.stringify({ Version: "2012-10-17", Statement: [{ ...accountStatement(production, "A"), Principal }] }),
      production.account,
    );
  expect(
    ["*", { AWS: "*" }, { AWS: "444455556666" }, { AWS: ["arn:aws:iam::999900001111:root", "arn:aws:iam::444455556666:root"] }].map(may),
  ).toEqual([true, true, true, true]);
  expect([{ AWS: "arn:aws:iam::999900001111:root" }, { Service: "omics.amazonaws.com" }].map(may)).toEqual([false, false]);
  expect(letsAccountRead(undefined, production.account)).toBe(false);
  const denied = (AWS: string) =>
    letsAccountRead(
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [accountStatement(production, "A"), { Sid: "B", Effect: "Deny", Principal: { AWS }, Action: "ecr:*" }],
      }),
      production.account,
    );
  expect(["*", "444455556666", "arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:role/one", "999900001111"].map(denied)).toEqual(
    [false, false, false, true, true],
  );
});
