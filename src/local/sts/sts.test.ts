import { CreateRoleCommand, IAMClient, ListRolesCommand, ListUsersCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type Credentials,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { CICD, PRODUCTION, startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());

const policy = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const allow = (actions: unknown, Resource: unknown = "*", Condition: object = {}) => ({
  Sid: "Allow",
  Effect: "Allow",
  Action: actions,
  Resource,
  Condition,
});
const trusting = (AWS: unknown, Condition: object = {}, Action: unknown = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]) =>
  policy({ Sid: "Trust", Effect: "Allow", Principal: { AWS }, Action, Condition });

let count = 0;
async function makeRole(profile: "cicd" | "production", trust: string, ...statements: object[]): Promise<string> {
  const iam = new IAMClient(accounts.config(profile));
  const RoleName = `role-${++count}`;
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, Tags: [{ Key: "team", Value: "a" }] }),
  );
  if (statements.length > 0)
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "inline", PolicyDocument: policy(...statements) }));
  return Role!.Arn!;
}

const keys = (credentials: Credentials | undefined) => ({
  accessKeyId: credentials!.AccessKeyId!,
  secretAccessKey: credentials!.SecretAccessKey!,
  sessionToken: credentials!.SessionToken!,
});
const as = (credentials: Credentials | undefined) => ({ ...accounts.config(), credentials: keys(credentials) });
const sts = (profile: Parameters<TestAccounts["config"]>[0] = "cicd") => new STSClient(accounts.config(profile));
const assume = (RoleArn: string, part: Partial<AssumeRoleCommandInput> = {}, client = sts()) =>
  client.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "session", ...part }));

test("GetCallerIdentity needs no permission", async () => {
  expect(await sts("approver").send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: CICD,
    Arn: `arn:aws:iam::${CICD}:user/approver`,
  });
  expect(await sts("production").send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: PRODUCTION });
});

describe("AssumeRole", () => {
  test("gives keys that work until they end, as the role and no more", async () => {
    const role = await makeRole("cicd", trusting(CICD), allow("iam:ListRoles"));
    const { Credentials, AssumedRoleUser } = await assume(role, { DurationSeconds: 900 });
    expect(AssumedRoleUser).toMatchObject({
      Arn: `arn:aws:sts::${CICD}:assumed-role/${role.split("/")[1]}/session`,
      AssumedRoleId: expect.stringMatching(/^AROA\w+:session$/),
    });
    expect(Credentials!.Expiration!.getTime() - Date.now()).toBeLessThanOrEqual(900_000);
    expect(await new STSClient(as(Credentials)).send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: AssumedRoleUser!.Arn });
    const iam = new IAMClient(as(Credentials));
    await iam.send(new ListRolesCommand({}));
    await expect(iam.send(new ListUsersCommand({}))).rejects.toMatchObject({
      name: "AccessDenied",
      message: expect.stringContaining(`User: ${AssumedRoleUser!.Arn} is not authorized to perform: iam:ListUsers`),
    });
  });

  test("wants the session token with the keys", async () => {
    const { Credentials } = await assume(await makeRole("cicd", trusting(CICD)));
    const { accessKeyId, secretAccessKey, sessionToken } = keys(Credentials);
    const call = (credentials: object) =>
      new STSClient({ ...accounts.config(), credentials: credentials as never }).send(new GetCallerIdentityCommand({}));
    await expect(call({ accessKeyId, secretAccessKey })).rejects.toMatchObject({ name: "InvalidClientTokenId" });
    await expect(call({ accessKeyId, secretAccessKey, sessionToken: `${sessionToken}x` })).rejects.toMatchObject({
      name: "InvalidClientTokenId",
    });
    await expect(call({ accessKeyId, secretAccessKey: `${secretAccessKey}x`, sessionToken })).rejects.toMatchObject({
      name: "SignatureDoesNotMatch",
    });
  });

  test("across accounts wants both sides", async () => {
    const role = await makeRole("production", trusting(CICD));
    await assume(role);
    await expect(assume(role, {}, sts("developer"))).rejects.toMatchObject({
      name: "AccessDenied",
      message: expect.stringContaining("no identity-based policy allows the sts:AssumeRole action"),
    });
    const closed = await makeRole("production", trusting(PRODUCTION));
    await expect(assume(closed)).rejects.toMatchObject({
      name: "AccessDenied",
      message: expect.stringContaining("no role trust policy allows the sts:AssumeRole action"),
    });
  });

  test("a trust policy that names the user needs no policy of the user; one that names the account does", async () => {
    await assume(await makeRole("cicd", trusting(`arn:aws:iam::${CICD}:user/developer`, {}, "sts:AssumeRole")), {}, sts("developer"));
    await expect(assume(await makeRole("cicd", trusting(CICD)), {}, sts("developer"))).rejects.toMatchObject({ name: "AccessDenied" });
  });

  test("looks at the external id", async () => {
    const role = await makeRole("cicd", trusting(CICD, { StringEquals: { "sts:ExternalId": "secret" } }));
    await assume(role, { ExternalId: "secret" });
    await expect(assume(role)).rejects.toMatchObject({
      message: expect.stringContaining(
        `statement "Trust" allows it only where StringEquals sts:ExternalId holds; the request does not have the key`,
      ),
    });
    const forbids = await makeRole("cicd", trusting(CICD, { Null: { "sts:ExternalId": "true" } }));
    await assume(forbids);
    await expect(assume(forbids, { ExternalId: "x" })).rejects.toMatchObject({ name: "AccessDenied" });
  });

  test("a session policy limits and grants nothing", async () => {
    const role = await makeRole("cicd", trusting(CICD), allow(["iam:ListRoles", "iam:ListUsers"]));
    const { Credentials, PackedPolicySize } = await assume(role, { Policy: policy(allow(["iam:ListRoles", "iam:ListPolicies"])) });
    expect(PackedPolicySize).toBeGreaterThan(0);
    const iam = new IAMClient(as(Credentials));
    await iam.send(new ListRolesCommand({}));
    await expect(iam.send(new ListUsersCommand({}))).rejects.toThrow("because no session policy allows the iam:ListUsers action");
    const managed = await assume(role, { PolicyArns: [{ arn: "arn:aws:iam::aws:policy/AmazonS3FullAccess" }] });
    await expect(new IAMClient(as(managed.Credentials)).send(new ListRolesCommand({}))).rejects.toThrow("no session policy");
    await expect(assume(role, { Policy: "{}" })).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
  });

  test("session tags are principal tags, and transitive ones pass down a chain of an hour at most", async () => {
    const second = await makeRole(
      "production",
      trusting(CICD),
      allow("iam:ListRoles", "*", { StringEquals: { "aws:PrincipalTag/release": "1.2", "aws:PrincipalTag/team": "a" } }),
    );
    const first = await makeRole("cicd", trusting(CICD), allow(["sts:AssumeRole", "sts:TagSession"]));
    const one = await assume(first, {
      Tags: [
        { Key: "release", Value: "1.2" },
        { Key: "own", Value: "x" },
      ],
      TransitiveTagKeys: ["release"],
    });
    const two = await assume(second, {}, new STSClient(as(one.Credentials)));
    await new IAMClient(as(two.Credentials)).send(new ListRolesCommand({}));
    const untagged = await assume(second);
    await expect(new IAMClient(as(untagged.Credentials)).send(new ListRolesCommand({}))).rejects.toThrow("aws:PrincipalTag/release");
    const chain = new STSClient(as(one.Credentials));
    await expect(assume(second, { DurationSeconds: 3601 }, chain)).rejects.toThrow(
      "1 hour session limit for roles assumed by role chaining",
    );
    await expect(assume(second, { Tags: [{ Key: "Release", Value: "2" }] }, chain)).rejects.toMatchObject({
      name: "InvalidParameterValue",
    });
  });

  test("a source identity stays the same along a chain", async () => {
    const second = await makeRole("cicd", trusting(CICD), allow("iam:ListRoles", "*", { StringEquals: { "aws:SourceIdentity": "alice" } }));
    const first = await makeRole("cicd", trusting(CICD), allow("sts:*"));
    const one = await assume(first, { SourceIdentity: "alice" });
    const chain = new STSClient(as(one.Credentials));
    const two = await assume(second, {}, chain);
    expect(two.SourceIdentity).toBe("alice");
    await new IAMClient(as(two.Credentials)).send(new ListRolesCommand({}));
    await expect(assume(second, { SourceIdentity: "bob" }, chain)).rejects.toMatchObject({ name: "AccessDenied" });
  });

  test.each([
    ["a session name that AWS refuses", { RoleSessionName: "a b" }, "roleSessionName"],
    ["a duration too short", { DurationSeconds: 899 }, "durationSeconds"],
    ["a duration beyond the role's", { DurationSeconds: 3601 }, "exceeds the MaxSessionDuration"],
  ])("refuses %s", async (_what, part, message) => {
    await expect(assume(await makeRole("cicd", trusting(CICD)), part)).rejects.toMatchObject({
      name: "ValidationError",
      message: expect.stringContaining(message),
    });
  });

  test("a role that is not there answers like one that lets nobody in", async () => {
    await expect(assume(`arn:aws:iam::${CICD}:role/none`)).rejects.toMatchObject({ name: "AccessDenied" });
  });

  test("the keys hold after a restart", async () => {
    const { Credentials } = await assume(await makeRole("cicd", trusting(CICD)));
    await accounts.restart();
    expect(await new STSClient(as(Credentials)).send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: CICD });
  });
});

test("a service takes a role that trusts it, on behalf of the resource the trust policy names", async () => {
  const { directory } = accounts.accounts.core;
  const trust = policy({
    Effect: "Allow",
    Principal: { Service: "omics.amazonaws.com" },
    Action: "sts:AssumeRole",
    Condition: { StringEquals: { "aws:SourceAccount": CICD }, ArnLike: { "aws:SourceArn": `arn:aws:omics:*:${CICD}:run/*` } },
  });
  const roleArn = await makeRole("cicd", trust);
  const session = { service: "omics.amazonaws.com", roleArn, sessionName: "run-1" };
  expect(directory.assumeAsService({ ...session, sourceArn: `arn:aws:omics:us-east-1:${CICD}:run/1` })).toMatchObject({
    kind: "role",
    assumedBy: "omics.amazonaws.com",
  });
  expect(() => directory.assumeAsService({ ...session, sourceArn: `arn:aws:omics:us-east-1:${PRODUCTION}:run/1` })).toThrow(
    "StringEquals aws:SourceAccount",
  );
  expect(() => directory.assumeAsService(session)).toThrow("no role trust policy allows the sts:AssumeRole action");
  expect(() => directory.assumeAsService({ ...session, service: "states.amazonaws.com" })).toThrow(
    "User: states.amazonaws.com is not authorized",
  );
});

test("GetSessionToken gives a user's session, which gets no session itself", async () => {
  const { Credentials } = await sts("developer").send(new GetSessionTokenCommand({}));
  const session = new STSClient(as(Credentials));
  expect(await session.send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: `arn:aws:iam::${CICD}:user/developer` });
  await expect(session.send(new GetSessionTokenCommand({}))).rejects.toMatchObject({ name: "AccessDenied" });
});

test("GetAccessKeyInfo names the account of a key", async () => {
  const { accessKeyId } = accounts.config("production").credentials;
  expect(await sts().send(new GetAccessKeyInfoCommand({ AccessKeyId: accessKeyId }))).toMatchObject({ Account: PRODUCTION });
});
