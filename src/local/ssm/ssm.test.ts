import {
  AddTagsToResourceCommand,
  DeleteParameterCommand,
  DeleteParametersCommand,
  DescribeParametersCommand,
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  LabelParameterVersionCommand,
  ListTagsForResourceCommand,
  PutParameterCommand,
  type PutParameterCommandInput,
  RemoveTagsFromResourceCommand,
  SSMClient,
  UnlabelParameterVersionCommand,
} from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
let ssm: SSMClient;
beforeAll(async () => {
  accounts = await startAccounts();
  ssm = new SSMClient(accounts.config("cicd"));
});
afterAll(() => accounts[Symbol.asyncDispose]());

let count = 0;
const fresh = () => `/test/${++count}`;
const put = (part: Partial<PutParameterCommandInput> & { Name: string }) =>
  ssm.send(new PutParameterCommand({ Type: "String", Value: "v", ...part }));

describe("a parameter", () => {
  test("has versions, found by number and by label", async () => {
    const Name = fresh();
    expect(await put({ Name, Value: "one" })).toMatchObject({ Version: 1, Tier: "Standard" });
    await expect(put({ Name, Value: "two" })).rejects.toMatchObject({ name: "ParameterAlreadyExists" });
    expect(await put({ Name, Value: "two", Overwrite: true })).toMatchObject({ Version: 2 });
    await ssm
      .send(new LabelParameterVersionCommand({ Name, ParameterVersion: 1, Labels: ["stable", "1bad"] }))
      .then((answer) => expect(answer.InvalidLabels).toEqual(["1bad"]));
    const value = async (name: string) => (await ssm.send(new GetParameterCommand({ Name: name }))).Parameter!.Value;
    expect(await value(Name)).toBe("two");
    expect(await value(`${Name}:1`)).toBe("one");
    expect(await value(`${Name}:stable`)).toBe("one");
    expect(await value(`arn:aws:ssm:${REGION}:${CICD}:parameter${Name}`)).toBe("two");
    await expect(value(`${Name}:7`)).rejects.toMatchObject({ name: "ParameterVersionNotFound" });
    await ssm.send(new LabelParameterVersionCommand({ Name, Labels: ["stable"] }));
    expect(await value(`${Name}:stable`)).toBe("two");
    const { Parameters } = await ssm.send(new GetParameterHistoryCommand({ Name }));
    expect(Parameters).toMatchObject([
      { Version: 1, Value: "one", Labels: [] },
      { Version: 2, Labels: ["stable"], LastModifiedUser: `arn:aws:iam::${CICD}:user/cicd` },
    ]);
    expect((await ssm.send(new UnlabelParameterVersionCommand({ Name, ParameterVersion: 2, Labels: ["stable"] }))).RemovedLabels).toEqual([
      "stable",
    ]);
  });

  test("of which the last hundred versions stay", async () => {
    const Name = fresh();
    for (let index = 1; index <= 101; index++) await put({ Name, Value: String(index), Overwrite: true });
    expect((await ssm.send(new GetParameterHistoryCommand({ Name }))).Parameters![0]).toMatchObject({ Version: 2 });
    await ssm.send(new LabelParameterVersionCommand({ Name, ParameterVersion: 2, Labels: ["keep"] }));
    await expect(put({ Name, Overwrite: true })).rejects.toMatchObject({ name: "ParameterMaxVersionLimitExceeded" });
  });

  test("is deleted, alone or among others", async () => {
    const [one, two] = [fresh(), fresh()];
    await put({ Name: one });
    await put({ Name: two });
    expect(await ssm.send(new DeleteParametersCommand({ Names: [one, "/none"] }))).toMatchObject({
      DeletedParameters: [one],
      InvalidParameters: ["/none"],
    });
    await ssm.send(new DeleteParameterCommand({ Name: two }));
    await expect(ssm.send(new GetParameterCommand({ Name: two }))).rejects.toMatchObject({ name: "ParameterNotFound" });
    await expect(ssm.send(new DeleteParameterCommand({ Name: two }))).rejects.toMatchObject({ name: "ParameterNotFound" });
  });

  test("has tags", async () => {
    const Name = fresh();
    await put({ Name, Tags: [{ Key: "a", Value: "1" }] });
    const named = { ResourceType: "Parameter" as const, ResourceId: Name };
    await ssm.send(new AddTagsToResourceCommand({ ...named, Tags: [{ Key: "b", Value: "2" }] }));
    await ssm.send(new RemoveTagsFromResourceCommand({ ...named, TagKeys: ["a"] }));
    expect((await ssm.send(new ListTagsForResourceCommand(named))).TagList).toEqual([{ Key: "b", Value: "2" }]);
  });

  test.each([
    ["a reserved name", { Name: "/aws/x" }, "AccessDeniedException", "No access to reserved parameter name"],
    ["a name with a space", { Name: "/a b" }, "ValidationException", "can only include"],
    ["a hierarchy without its first slash", { Name: "a/b" }, "ValidationException", "fully qualified"],
    [
      "a value that does not fit the pattern",
      { Name: "/p", AllowedPattern: "^\\d+$", Value: "x" },
      "ParameterPatternMismatchException",
      "^\\d+$",
    ],
    ["a value too long for its tier", { Name: "/p", Value: "x".repeat(4097) }, "ValidationException", "4096"],
    ["policies, which are not offered", { Name: "/p", Policies: "[]" }, "ValidationException", "parameter policies"],
  ])("is refused with %s", async (_what, part, name, message) => {
    await expect(put(part)).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });

  test("that is large takes the tier it needs", async () => {
    expect(await put({ Name: fresh(), Value: "x".repeat(5000), Tier: "Intelligent-Tiering" })).toMatchObject({ Tier: "Advanced" });
  });
});

describe("many parameters", () => {
  test("are found by path, level by level or all, in pages", async () => {
    const root = `/path-${++count}`;
    for (const name of ["a", "b", "b/c", "b/d"]) await put({ Name: `${root}/${name}`, Type: name === "a" ? "StringList" : "String" });
    const names = async (part: object = {}) =>
      (await ssm.send(new GetParametersByPathCommand({ Path: root, ...part }))).Parameters!.map(({ Name }) => Name!.slice(root.length));
    expect(await names()).toEqual(["/a", "/b"]);
    expect(await names({ Recursive: true })).toEqual(["/a", "/b", "/b/c", "/b/d"]);
    expect(await names({ Recursive: true, ParameterFilters: [{ Key: "Type", Values: ["StringList"] }] })).toEqual(["/a"]);
    const page = await ssm.send(new GetParametersByPathCommand({ Path: root, Recursive: true, MaxResults: 3 }));
    expect(await names({ Recursive: true, MaxResults: 3, NextToken: page.NextToken })).toEqual(["/b/d"]);
    const described = await ssm.send(
      new DescribeParametersCommand({ ParameterFilters: [{ Key: "Name", Option: "BeginsWith", Values: [`${root}/b`] }] }),
    );
    expect(described.Parameters!.length).toBe(3);
  });

  test("come with those that are not there named", async () => {
    const Name = fresh();
    await put({ Name });
    expect(await ssm.send(new GetParametersCommand({ Names: [Name, "/none", `${Name}:9`] }))).toMatchObject({
      Parameters: [{ Name }],
      InvalidParameters: ["/none", `${Name}:9`],
    });
  });
});

test("a SecureString shows its value only to whom it is decrypted for", async () => {
  const Name = fresh();
  await put({ Name, Type: "SecureString", Value: "secret" });
  expect((await ssm.send(new GetParameterCommand({ Name }))).Parameter!.Value).toMatch(/^AQICAH/);
  expect((await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter).toMatchObject({
    Value: "secret",
    Type: "SecureString",
  });
});

test("IAM is asked for the parameter itself", async () => {
  const Name = fresh();
  await put({ Name });
  await expect(new SSMClient(accounts.config("developer")).send(new GetParameterCommand({ Name }))).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining(
      `ssm:GetParameter on resource: arn:aws:ssm:${REGION}:${CICD}:parameter${Name} because no identity-based policy`,
    ),
  });
});

test("accounts and restarts: parameters stay, and stay apart", async () => {
  const Name = fresh();
  await put({ Name });
  await expect(new SSMClient(accounts.config("production")).send(new GetParameterCommand({ Name }))).rejects.toMatchObject({
    name: "ParameterNotFound",
  });
  await accounts.restart();
  ssm = new SSMClient(accounts.config("cicd"));
  expect((await ssm.send(new GetParameterCommand({ Name }))).Parameter!.Value).toBe("v");
});
