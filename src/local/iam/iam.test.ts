import {
  AttachRolePolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedRolePoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  SetDefaultPolicyVersionCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAccessKeyCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { CICD, startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
let iam: IAMClient;
beforeAll(async () => {
  accounts = await startAccounts();
  iam = new IAMClient(accounts.config("cicd"));
});
afterAll(() => accounts[Symbol.asyncDispose]());

const policy = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const trust = (principal: unknown) => policy({ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole" });
const builds = trust({ Service: "codebuild.amazonaws.com" });
const readS3 = policy({ Sid: "Read", Effect: "Allow", Action: "s3:Get*", Resource: "*" });
let count = 0;
const fresh = (word: string) => `${word}-${++count}`;
const newRole = async (part: object = {}) => {
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: fresh("role"), AssumeRolePolicyDocument: builds, ...part }));
  return Role!;
};

describe("roles", () => {
  test("are made, found whatever the case of the name, listed by path, changed and deleted", async () => {
    const role = await newRole({ Path: "/team/a/", Description: "builds", MaxSessionDuration: 7200, Tags: [{ Key: "Team", Value: "A" }] });
    expect(role).toMatchObject({
      Arn: `arn:aws:iam::${CICD}:role/team/a/${role.RoleName}`,
      RoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
      MaxSessionDuration: 7200,
    });
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: role.RoleName!.toUpperCase() }));
    expect(decodeURIComponent(Role!.AssumeRolePolicyDocument!)).toBe(builds);
    expect(Role).toMatchObject({ RoleName: role.RoleName, Tags: [{ Key: "Team", Value: "A" }], Description: "builds" });
    const { Roles } = await iam.send(new ListRolesCommand({ PathPrefix: "/team/" }));
    expect(Roles!.map(({ RoleName }) => RoleName)).toEqual([role.RoleName]);
    await iam.send(new UpdateRoleCommand({ RoleName: role.RoleName, Description: "other", MaxSessionDuration: 3600 }));
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: role.RoleName, PolicyDocument: trust({ AWS: CICD }) }));
    const after = await iam.send(new GetRoleCommand({ RoleName: role.RoleName }));
    expect(after.Role).toMatchObject({
      Description: "other",
      MaxSessionDuration: 3600,
      AssumeRolePolicyDocument: expect.stringContaining(CICD),
    });
    await iam.send(new DeleteRoleCommand({ RoleName: role.RoleName }));
    await expect(iam.send(new GetRoleCommand({ RoleName: role.RoleName }))).rejects.toMatchObject({
      name: "NoSuchEntityException",
      message: `The role with name ${role.RoleName} cannot be found.`,
    });
  });

  test("keep tags, whose keys ignore case", async () => {
    const { RoleName } = await newRole({
      Tags: [
        { Key: "a", Value: "1" },
        { Key: "b", Value: "2" },
      ],
    });
    await iam.send(new TagRoleCommand({ RoleName, Tags: [{ Key: "A", Value: "3" }] }));
    await iam.send(new UntagRoleCommand({ RoleName, TagKeys: ["B"] }));
    expect((await iam.send(new ListRoleTagsCommand({ RoleName }))).Tags).toEqual([{ Key: "A", Value: "3" }]);
  });

  test("hold inline and attached policies, and can't be deleted with them", async () => {
    const { RoleName } = await newRole();
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "read", PolicyDocument: readS3 }));
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    expect((await iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames).toEqual(["read"]);
    expect(decodeURIComponent((await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: "read" }))).PolicyDocument!)).toBe(readS3);
    expect((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies).toEqual([
      { PolicyArn, PolicyName: "AWSLambdaBasicExecutionRole" },
    ]);
    await expect(iam.send(new DeleteRoleCommand({ RoleName }))).rejects.toMatchObject({
      name: "DeleteConflictException",
      message: "Cannot delete entity, must detach all policies first.",
    });
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    await expect(iam.send(new DeleteRoleCommand({ RoleName }))).rejects.toThrow("must delete policies first");
    await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "read" }));
    await iam.send(new DeleteRoleCommand({ RoleName }));
  });

  test.each([
    [
      "a taken name",
      async () => newRole({ RoleName: (await newRole()).RoleName!.toUpperCase() }),
      "EntityAlreadyExistsException",
      "already exists",
    ],
    [
      "a trust policy with a resource",
      () => newRole({ AssumeRolePolicyDocument: policy({ Effect: "Allow", Principal: "*", Action: "sts:AssumeRole", Resource: "*" }) }),
      "MalformedPolicyDocumentException",
      "Has prohibited field Resource",
    ],
    [
      "a trust policy that names nobody there is",
      () => newRole({ AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${CICD}:role/nobody` }) }),
      "MalformedPolicyDocumentException",
      `Invalid principal in policy: "AWS":"arn:aws:iam::${CICD}:role/nobody"`,
    ],
    [
      "a boundary, which is not offered",
      () => newRole({ PermissionsBoundary: "arn:aws:iam::aws:policy/AdministratorAccess" }),
      "NotImplemented",
      "permission boundaries",
    ],
    ["a strange name", () => newRole({ RoleName: "a b" }), "ValidationError", "alphanumeric"],
    ["a session too long", () => newRole({ MaxSessionDuration: 43_201 }), "ValidationError", "maxSessionDuration"],
  ])("refuse %s", async (_what, make, name, message) => {
    await expect(make()).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });

  test("are listed in pages", async () => {
    for (let index = 0; index < 5; index++) await newRole({ Path: "/paged/" });
    const names: string[] = [];
    let Marker: string | undefined;
    do {
      const answer = await iam.send(new ListRolesCommand({ PathPrefix: "/paged/", MaxItems: 2, ...(Marker && { Marker }) }));
      names.push(...answer.Roles!.map(({ RoleName }) => RoleName!));
      Marker = answer.Marker;
    } while (Marker);
    expect(new Set(names).size).toBe(5);
  });
});

describe("managed policies", () => {
  test("have versions, of which one is in force", async () => {
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: fresh("policy"), PolicyDocument: readS3, Path: "/x/" }));
    const PolicyArn = Policy!.Arn!;
    for (let index = 2; index <= 5; index++)
      await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: readS3, SetAsDefault: index === 3 }));
    await expect(iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: readS3 }))).rejects.toMatchObject({
      name: "LimitExceededException",
    });
    expect((await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy).toMatchObject({ DefaultVersionId: "v3", AttachmentCount: 0 });
    await expect(iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v3" }))).rejects.toMatchObject({
      name: "DeleteConflictException",
    });
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toThrow("more than one version");
    await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v5" }));
    for (const VersionId of ["v1", "v2", "v3", "v4"]) await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }));
    expect((await iam.send(new ListPolicyVersionsCommand({ PolicyArn }))).Versions).toMatchObject([
      { VersionId: "v5", IsDefaultVersion: true },
    ]);
    const made = await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: readS3 }));
    expect(made.PolicyVersion!.VersionId).toBe("v6");
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v6" }));
    await iam.send(new DeletePolicyCommand({ PolicyArn }));
    await expect(iam.send(new GetPolicyCommand({ PolicyArn }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
  });

  test("can't be deleted while a role has them", async () => {
    const { RoleName } = await newRole();
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: fresh("policy"), PolicyDocument: readS3 }));
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: Policy!.Arn! }));
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn: Policy!.Arn! }))).rejects.toThrow("attached to entities");
    expect((await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: Policy!.Arn! }))).PolicyRoles).toMatchObject([{ RoleName }]);
    expect((await iam.send(new ListPoliciesCommand({ Scope: "Local", OnlyAttached: true }))).Policies!.map(({ Arn }) => Arn)).toContain(
      Policy!.Arn,
    );
  });

  test.each([
    "AdministratorAccess",
    "ReadOnlyAccess",
    "service-role/AWSLambdaBasicExecutionRole",
    "AmazonS3FullAccess",
    "AmazonEC2ContainerRegistryFullAccess",
    "AmazonEC2ContainerRegistryPowerUser",
    "AWSCodeCommitPowerUser",
    "AWSCodeBuildDeveloperAccess",
    "AmazonOmicsFullAccess",
    "AmazonSSMReadOnlyAccess",
    "CloudWatchLogsFullAccess",
    "AWSLambda_FullAccess",
    "AWSXrayFullAccess",
  ])("of AWS: %s has its document, and nobody may change it", async (name) => {
    const PolicyArn = `arn:aws:iam::aws:policy/${name}`;
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy!.DefaultVersionId! }));
    expect(JSON.parse(decodeURIComponent(PolicyVersion!.Document!))).toMatchObject({ Version: "2012-10-17" });
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
  });

  test("that nobody knows can't be attached", async () => {
    const { RoleName } = await newRole();
    await expect(iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: "arn:aws:iam::aws:policy/Nonsense" }))).rejects.toThrow(
      "does not exist or is not attachable",
    );
  });
});

describe("users", () => {
  test("sign with their keys, and may do what their policies say", async () => {
    const UserName = fresh("user");
    const { User } = await iam.send(new CreateUserCommand({ UserName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const credentials = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
    const sts = new STSClient({ ...accounts.config(), credentials });
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: CICD, Arn: User!.Arn, UserId: User!.UserId });
    const own = new IAMClient({ ...accounts.config(), credentials });
    await expect(own.send(new GetUserCommand({}))).rejects.toMatchObject({
      name: "AccessDenied",
      message: `User: ${User!.Arn} is not authorized to perform: iam:GetUser on resource: ${User!.Arn} because no identity-based policy allows the iam:GetUser action`,
    });
    await iam.send(
      new PutUserPolicyCommand({
        UserName,
        PolicyName: "self",
        PolicyDocument: policy({ Effect: "Allow", Action: "iam:GetUser", Resource: `arn:aws:iam::${CICD}:user/\${aws:username}` }),
      }),
    );
    expect((await own.send(new GetUserCommand({}))).User!.UserName).toBe(UserName);
    await expect(own.send(new ListUsersCommand({}))).rejects.toMatchObject({ name: "AccessDenied" });
    await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: credentials.accessKeyId, Status: "Inactive" }));
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: "InvalidClientTokenId" });
    await expect(iam.send(new DeleteUserCommand({ UserName }))).rejects.toMatchObject({ name: "DeleteConflictException" });
    await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: credentials.accessKeyId }));
    expect((await iam.send(new ListAccessKeysCommand({ UserName }))).AccessKeyMetadata).toEqual([]);
  });

  test("of the local accounts are there from the start: the developer may not approve, the approver not push", async () => {
    expect((await iam.send(new ListUsersCommand({}))).Users!.map(({ UserName }) => UserName)).toEqual(
      expect.arrayContaining(["cicd", "developer", "approver"]),
    );
    const developer = new IAMClient(accounts.config("developer"));
    await expect(developer.send(new CreateRoleCommand({ RoleName: "x", AssumeRolePolicyDocument: builds }))).rejects.toMatchObject({
      name: "AccessDenied",
    });
  });
});

test("what is not built says so", async () => {
  const { ListGroupsCommand } = await import("@aws-sdk/client-iam");
  await expect(iam.send(new ListGroupsCommand({}))).rejects.toMatchObject({
    name: "NotImplemented",
    message: expect.stringContaining("iam:ListGroups"),
  });
});
