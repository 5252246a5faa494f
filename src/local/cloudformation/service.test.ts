import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStackResourceCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  GetTemplateSummaryCommand,
  ListExportsCommand,
  ListImportsCommand,
  ListStackResourcesCommand,
  ListStacksCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
  ValidateTemplateCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import {
  GetBucketTaggingCommand,
  CreateBucketCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
let cloudformation: CloudFormationClient;
let s3: S3Client;
let ssm: SSMClient;
let count = 0;

beforeAll(async () => {
  accounts = await startAccounts();
  cloudformation = new CloudFormationClient(accounts.config());
  s3 = new S3Client(accounts.config());
  ssm = new SSMClient(accounts.config());
});
afterAll(() => accounts[Symbol.asyncDispose]());

const WAIT = { maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 };
const waiting = () => ({ client: cloudformation, ...WAIT });
const fresh = (): string => `stack-${++count}`;

const bucket = (Properties: object = {}, more: object = {}) => ({ Type: "AWS::S3::Bucket", Properties, ...more });
const parameter = (Properties: object) => ({ Type: "AWS::SSM::Parameter", Properties: { Type: "String", ...Properties } });
const body = (template: object): string => JSON.stringify(template);

const create = async (StackName: string, template: object, more: object = {}) => {
  await cloudformation.send(new CreateStackCommand({ StackName, TemplateBody: body(template), ...more }));
  return waitUntilStackCreateComplete(waiting(), { StackName });
};
const stackOf = async (StackName: string) => (await cloudformation.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!;
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => "accepted",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("stacks", () => {
  test("a template of a bucket and a parameter becomes a bucket and a parameter", async () => {
    const StackName = fresh();
    await create(
      StackName,
      {
        Parameters: { Name: { Type: "String" } },
        Resources: { Bucket: bucket(), Where: parameter({ Name: { Ref: "Name" }, Value: { "Fn::GetAtt": ["Bucket", "Arn"] } }) },
        Outputs: { Bucket: { Value: { Ref: "Bucket" }, Export: { Name: { "Fn::Sub": "${AWS::StackName}:bucket" } } } },
      },
      { Parameters: [{ ParameterKey: "Name", ParameterValue: "/where" }], Tags: [{ Key: "team", Value: "omx" }] },
    );
    const stack = await stackOf(StackName);
    const name = stack.Outputs![0]!.OutputValue!;
    expect(name).toMatch(new RegExp(`^${StackName}-bucket-[a-z0-9]{12}$`));
    await s3.send(new HeadBucketCommand({ Bucket: name }));
    expect((await ssm.send(new GetParameterCommand({ Name: "/where" }))).Parameter?.Value).toBe(`arn:aws:s3:::${name}`);
    expect((await s3.send(new GetBucketTaggingCommand({ Bucket: name }))).TagSet).toContainEqual({ Key: "team", Value: "omx" });
    expect(stack).toMatchObject({
      StackStatus: "CREATE_COMPLETE",
      Outputs: [{ ExportName: `${StackName}:bucket` }],
      Tags: [{ Key: "team", Value: "omx" }],
    });
    expect((await cloudformation.send(new ListExportsCommand({}))).Exports).toContainEqual({
      ExportingStackId: stack.StackId,
      Name: `${StackName}:bucket`,
      Value: name,
    });
  });

  test("an update changes, an unchanged one is refused, a deletion removes", async () => {
    const StackName = fresh();
    const template = (Value: string) => ({ Resources: { P: parameter({ Name: `/${StackName}`, Value }) } });
    await create(StackName, template("one"));
    const update = (Value: string) => cloudformation.send(new UpdateStackCommand({ StackName, TemplateBody: body(template(Value)) }));
    expect(await refusal(update("one"))).toBe("ValidationError: No updates are to be performed.");
    await update("two");
    await waitUntilStackUpdateComplete(waiting(), { StackName });
    expect((await ssm.send(new GetParameterCommand({ Name: `/${StackName}` }))).Parameter?.Value).toBe("two");
    const { StackId } = await stackOf(StackName);
    await cloudformation.send(new DeleteStackCommand({ StackName }));
    await waitUntilStackDeleteComplete(waiting(), { StackName: StackId! });
    expect(await refusal(ssm.send(new GetParameterCommand({ Name: `/${StackName}` })))).toMatch(/^ParameterNotFound/);
    expect(await refusal(stackOf(StackName))).toBe(`ValidationError: Stack with id ${StackName} does not exist`);
    expect(await stackOf(StackId!)).toMatchObject({ StackStatus: "DELETE_COMPLETE", DeletionTime: expect.any(Date) });
    expect((await cloudformation.send(new DescribeStackEventsCommand({ StackName: StackId! }))).StackEvents?.[0]).toMatchObject({
      ResourceStatus: "DELETE_COMPLETE",
      LogicalResourceId: StackName,
    });
    await cloudformation.send(new DeleteStackCommand({ StackName }));
  });

  test("a resource that a service refuses rolls the stack back, with the service's words", async () => {
    const StackName = fresh();
    await s3.send(new CreateBucketCommand({ Bucket: "taken-already" }));
    const ended = await create(StackName, {
      Resources: { A: bucket(), B: bucket({ BucketName: "taken-already" }, { DependsOn: "A" }) },
    }).catch((error: Error) => error.message);
    expect(ended).toContain("ROLLBACK");
    await expect.poll(async () => (await stackOf(StackName)).StackStatus).toBe("ROLLBACK_COMPLETE");
    const { StackEvents = [] } = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
    expect(StackEvents.find(({ ResourceStatus }) => ResourceStatus === "CREATE_FAILED")).toMatchObject({
      LogicalResourceId: "B",
      ResourceStatusReason: expect.stringMatching(/already/),
    });
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).not.toContainEqual(
      expect.stringMatching(`^${StackName}`),
    );
  });

  test("a bucket that holds objects fails the deletion, which then goes on", async () => {
    const StackName = fresh();
    await create(StackName, { Resources: { A: bucket({ BucketName: `${StackName}-full` }), B: bucket() } });
    await s3.send(new PutObjectCommand({ Bucket: `${StackName}-full`, Key: "k", Body: "v" }));
    await cloudformation.send(new DeleteStackCommand({ StackName }));
    await expect.poll(async () => (await stackOf(StackName)).StackStatus).toBe("DELETE_FAILED");
    expect((await stackOf(StackName)).StackStatusReason).toBe("The following resource(s) failed to delete: [A].");
    await cloudformation.send(new DeleteStackCommand({ StackName, RetainResources: ["A"] }));
    await expect.poll(() => refusal(stackOf(StackName))).toContain("does not exist");
    await s3.send(new HeadBucketCommand({ Bucket: `${StackName}-full` }));
  });

  test("a protected stack is not deleted", async () => {
    const StackName = fresh();
    await create(StackName, { Resources: { A: bucket() } });
    await cloudformation.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: true }));
    expect(await refusal(cloudformation.send(new DeleteStackCommand({ StackName })))).toContain(
      "cannot be deleted while TerminationProtection is enabled",
    );
  });

  test("are listed and described, with their resources", async () => {
    const StackName = fresh();
    await create(StackName, { Description: "two buckets", Resources: { A: bucket({}, { Metadata: { why: 1 } }), B: bucket() } });
    const { StackResources = [] } = await cloudformation.send(new DescribeStackResourcesCommand({ StackName }));
    expect(StackResources.map(({ LogicalResourceId, ResourceStatus }) => [LogicalResourceId, ResourceStatus])).toEqual([
      ["A", "CREATE_COMPLETE"],
      ["B", "CREATE_COMPLETE"],
    ]);
    const { PhysicalResourceId } = StackResources[0]!;
    expect((await cloudformation.send(new DescribeStackResourcesCommand({ PhysicalResourceId }))).StackResources?.[0]?.StackName).toBe(
      StackName,
    );
    expect(
      (await cloudformation.send(new DescribeStackResourceCommand({ StackName, LogicalResourceId: "A" }))).StackResourceDetail,
    ).toMatchObject({ PhysicalResourceId, Metadata: '{"why":1}' });
    expect((await cloudformation.send(new ListStackResourcesCommand({ StackName }))).StackResourceSummaries).toHaveLength(2);
    expect((await cloudformation.send(new ListStacksCommand({ StackStatusFilter: ["CREATE_COMPLETE"] }))).StackSummaries).toContainEqual(
      expect.objectContaining({ StackName, TemplateDescription: "two buckets" }),
    );
    expect(await refusal(cloudformation.send(new DescribeStackEventsCommand({ StackName: "nobody" })))).toBe(
      "ValidationError: Stack [nobody] does not exist",
    );
  });

  test("imports hold an export in place", async () => {
    const [from, to] = [fresh(), fresh()];
    await create(from, { Resources: { A: bucket() }, Outputs: { O: { Value: { Ref: "A" }, Export: { Name: "held" } } } });
    await create(to, { Resources: { P: parameter({ Value: { "Fn::ImportValue": "held" } }) } });
    expect((await cloudformation.send(new ListImportsCommand({ ExportName: "held" }))).Imports).toEqual([to]);
    await cloudformation.send(new DeleteStackCommand({ StackName: from }));
    await expect.poll(async () => (await stackOf(from)).StackStatusReason).toBe(`Export held cannot be deleted as it is in use by ${to}`);
    expect(await refusal(create(fresh(), { Resources: { P: parameter({ Value: { "Fn::ImportValue": "nowhere" } }) } }))).toBe(
      "ValidationError: No export named nowhere found.",
    );
  });
});

describe("change sets", () => {
  const changeSet = (StackName: string, template: object, more: object = {}) =>
    cloudformation.send(new CreateChangeSetCommand({ StackName, ChangeSetName: "changes", TemplateBody: body(template), ...more }));

  test("create a stack that waits for review, say what they would do, and do it", async () => {
    const StackName = fresh();
    await changeSet(StackName, { Resources: { A: bucket() } }, { ChangeSetType: "CREATE" });
    await waitUntilChangeSetCreateComplete(waiting(), { StackName, ChangeSetName: "changes" });
    expect(await stackOf(StackName)).toMatchObject({ StackStatus: "REVIEW_IN_PROGRESS" });
    const described = await cloudformation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName: "changes" }));
    expect(described).toMatchObject({
      ExecutionStatus: "AVAILABLE",
      Changes: [{ Type: "Resource", ResourceChange: { Action: "Add", LogicalResourceId: "A", ResourceType: "AWS::S3::Bucket" } }],
    });
    await cloudformation.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName: "changes" }));
    await waitUntilStackCreateComplete(waiting(), { StackName });
    const { StackEvents = [] } = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
    expect(
      StackEvents.map(
        ({ LogicalResourceId, ResourceStatus }) => `${LogicalResourceId === StackName ? "stack" : LogicalResourceId} ${ResourceStatus}`,
      ).reverse(),
    ).toEqual([
      "stack REVIEW_IN_PROGRESS",
      "stack CREATE_IN_PROGRESS",
      "A CREATE_IN_PROGRESS",
      "A CREATE_IN_PROGRESS",
      "A CREATE_COMPLETE",
      "stack CREATE_COMPLETE",
    ]);
  });

  test("tell replacement from update, with values where asked, and say when there is nothing to do", async () => {
    const StackName = fresh();
    const template = (Name: string, Value: string) => ({ Resources: { P: parameter({ Name, Value }) } });
    await create(StackName, template(`/${StackName}/a`, "1"));
    await changeSet(StackName, template(`/${StackName}/b`, "2"));
    const { Changes } = await cloudformation.send(
      new DescribeChangeSetCommand({ StackName, ChangeSetName: "changes", IncludePropertyValues: true }),
    );
    expect(Changes).toMatchObject([
      {
        ResourceChange: {
          Action: "Modify",
          Replacement: "True",
          Scope: ["Properties"],
          Details: [
            { Target: { Name: "Name", RequiresRecreation: "Always", BeforeValue: `/${StackName}/a`, AfterValue: `/${StackName}/b` } },
            { Target: { Name: "Value", RequiresRecreation: "Never", BeforeValue: "1", AfterValue: "2" } },
          ],
        },
      },
    ]);
    await changeSet(StackName, template(`/${StackName}/a`, "1"), { ChangeSetName: "none" });
    expect(await cloudformation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName: "none" }))).toMatchObject({
      Status: "FAILED",
      ExecutionStatus: "UNAVAILABLE",
      StatusReason: "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    expect(await refusal(cloudformation.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName: "none" })))).toContain(
      "InvalidChangeSetStatus",
    );
  });

  test.each<[string, object, object, string]>([
    [
      "an unserved type, by its name",
      { Resources: { A: { Type: "AWS::Mars::Rover" } } },
      {},
      "ValidationError: Template format error: Unrecognized resource types: [AWS::Mars::Rover]",
    ],
    [
      "an unknown property, by its name",
      { Resources: { A: bucket({ Colour: "red" }) } },
      {},
      "ValidationError: Properties validation failed for resource A with message:\n[#: extraneous key [Colour] is not permitted]",
    ],
    [
      "a role without leave",
      { Resources: { R: { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: {} } } } },
      {},
      "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]",
    ],
    [
      "a named role without leave",
      { Resources: { R: { Type: "AWS::IAM::Role", Properties: { RoleName: "x", AssumeRolePolicyDocument: {} } } } },
      { Capabilities: ["CAPABILITY_IAM"] },
      "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]",
    ],
    [
      "a parameter without a value",
      { Parameters: { P: { Type: "String" } }, Resources: { A: bucket() } },
      {},
      "ValidationError: Parameters: [P] must have values",
    ],
    [
      "a parameter that SSM does not have",
      { Parameters: { P: { Type: "AWS::SSM::Parameter::Value<String>", Default: "/none" } }, Resources: { A: bucket() } },
      {},
      "ValidationError: Unable to fetch parameters [/none] from parameter store for this account.",
    ],
  ])("refuse %s, before anything is made", async (_, template, more, message) => {
    const StackName = fresh();
    expect(await refusal(changeSet(StackName, template, { ChangeSetType: "CREATE", ...more }))).toBe(message);
    expect(await refusal(stackOf(StackName))).toContain("does not exist");
  });

  test("take their template from an object of S3, and parameters from SSM", async () => {
    const StackName = fresh();
    await s3.send(new CreateBucketCommand({ Bucket: `${StackName}-templates` }));
    await ssm.send(new PutParameterCommand({ Name: `/${StackName}/version`, Value: "21", Type: "String" }));
    const template = {
      Parameters: { V: { Type: "AWS::SSM::Parameter::Value<String>", Default: `/${StackName}/version` } },
      Rules: {
        Version: {
          Assertions: [
            { Assert: { "Fn::Not": [{ "Fn::Contains": [["1", "2"], { Ref: "V" }] }] }, AssertDescription: "version 3 required" },
          ],
        },
      },
      Resources: { P: parameter({ Value: { Ref: "V" } }) },
      Outputs: { V: { Value: { Ref: "V" } } },
    };
    await s3.send(new PutObjectCommand({ Bucket: `${StackName}-templates`, Key: "a b/t.json", Body: body(template) }));
    const abroad = new S3Client({ ...accounts.config(), region: "eu-west-1" });
    await abroad.send(new CreateBucketCommand({ Bucket: `${StackName}-abroad` }));
    await abroad.send(new PutObjectCommand({ Bucket: `${StackName}-abroad`, Key: "t.json", Body: body(template) }));
    await cloudformation.send(new CreateStackCommand({ StackName: fresh(), TemplateURL: `${accounts.url}/${StackName}-abroad/t.json` }));
    const TemplateURL = `${accounts.url}/${StackName}-templates/a%20b/t.json`;
    await cloudformation.send(new CreateStackCommand({ StackName, TemplateURL }));
    await waitUntilStackCreateComplete(waiting(), { StackName });
    expect(await stackOf(StackName)).toMatchObject({
      Outputs: [{ OutputValue: "21" }],
      Parameters: [{ ParameterKey: "V", ParameterValue: `/${StackName}/version`, ResolvedValue: "21" }],
    });
    expect(await refusal(cloudformation.send(new CreateStackCommand({ StackName: fresh(), TemplateURL: `${TemplateURL}x` })))).toContain(
      "ValidationError: S3 error: ",
    );
    expect(
      await refusal(cloudformation.send(new CreateStackCommand({ StackName: fresh(), TemplateURL: "https://example.com/t.json" }))),
    ).toBe("ValidationError: TemplateURL must be a supported URL.");
  });
});

test("a stack may be a resource of another, with its outputs as attributes", async () => {
  const StackName = fresh();
  await s3.send(new CreateBucketCommand({ Bucket: `${StackName}-nested` }));
  const put = async (Key: string, template: object) => {
    await s3.send(new PutObjectCommand({ Bucket: `${StackName}-nested`, Key, Body: body(template) }));
    return `https://s3.amazonaws.com/${StackName}-nested/${Key}`;
  };
  const inner = (more: object = {}) => ({
    Parameters: { V: { Type: "String" } },
    Resources: { P: parameter({ Value: { Ref: "V" } }), ...more },
    Outputs: { Name: { Value: { Ref: "P" } } },
  });
  const outer = (TemplateURL: string, V: string) => ({
    Resources: {
      Inner: { Type: "AWS::CloudFormation::Stack", Properties: { TemplateURL, Parameters: { V } } },
      Copy: parameter({ Name: `/${StackName}/copy`, Value: { "Fn::GetAtt": ["Inner", "Outputs.Name"] } }),
    },
  });
  const update = async (template: object) => {
    await cloudformation.send(new UpdateStackCommand({ StackName, TemplateBody: body(template) }));
    await waitUntilStackUpdateComplete(waiting(), { StackName }).catch(() => undefined);
    return (await stackOf(StackName)).StackStatus;
  };
  const url = await put("one.json", inner());
  await create(StackName, outer(url, "1"));
  const { StackResources = [] } = await cloudformation.send(new DescribeStackResourcesCommand({ StackName, LogicalResourceId: "Inner" }));
  const nested = await stackOf(StackResources[0]!.PhysicalResourceId!);
  expect(nested).toMatchObject({
    StackStatus: "CREATE_COMPLETE",
    ParentId: (await stackOf(StackName)).StackId,
    StackName: expect.stringMatching(`^${StackName}-Inner-`),
  });
  const valueOf = async (Name: string) => (await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
  const innerName = (await valueOf(`/${StackName}/copy`))!;
  expect(innerName).toBe(nested.Outputs![0]!.OutputValue);
  expect(await update(outer(url, "2"))).toBe("UPDATE_COMPLETE");
  expect(await valueOf(innerName)).toBe("2");
  const bad = await put("bad.json", inner({ Taken: bucket({ BucketName: `${StackName}-nested` }) }));
  expect(await update(outer(bad, "3"))).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(await valueOf(innerName)).toBe("2");
  const { StackEvents = [] } = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
  expect(StackEvents.map(({ ResourceStatusReason }) => ResourceStatusReason)).toContainEqual(
    expect.stringMatching(/^Embedded stack arn:.* was not successfully updated: The following resource\(s\) failed to create: \[Taken\]/),
  );
  await cloudformation.send(new DeleteStackCommand({ StackName }));
  await expect.poll(() => refusal(stackOf(StackName))).toContain("does not exist");
  expect(await stackOf(nested.StackId!)).toMatchObject({ StackStatus: "DELETE_COMPLETE" });
});

describe("templates", () => {
  test("come back byte for byte", async () => {
    const StackName = fresh();
    const text = '# a comment\nResources:\n  A:   { Type: "AWS::S3::Bucket" }   \n\n';
    await cloudformation.send(new CreateStackCommand({ StackName, TemplateBody: text }));
    expect((await cloudformation.send(new GetTemplateCommand({ StackName, TemplateStage: "Original" }))).TemplateBody).toBe(text);
    await waitUntilStackCreateComplete(waiting(), { StackName });
  });

  test("are summarized and validated", async () => {
    const TemplateBody = body({
      Parameters: { P: { Type: "String", Default: "d", NoEcho: true } },
      Resources: { R: { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: {} } } },
    });
    expect(await cloudformation.send(new GetTemplateSummaryCommand({ TemplateBody }))).toMatchObject({
      ResourceTypes: ["AWS::IAM::Role"],
      Capabilities: ["CAPABILITY_IAM"],
      Parameters: [{ ParameterKey: "P", ParameterType: "String", DefaultValue: "d", NoEcho: true }],
    });
    expect(await cloudformation.send(new ValidateTemplateCommand({ TemplateBody }))).toMatchObject({ Parameters: [{ ParameterKey: "P" }] });
    expect(await refusal(cloudformation.send(new ValidateTemplateCommand({ TemplateBody: "a: [" })))).toContain(
      "ValidationError: Template format error: YAML not well-formed. (line 1",
    );
  });
});

test("a dynamic reference is looked up when the resource is made, and told as it is written", async () => {
  const StackName = fresh();
  await ssm.send(new PutParameterCommand({ Name: `/${StackName}/from`, Value: "looked up", Type: "String" }));
  const Value = `it was {{resolve:ssm:/${StackName}/from}}`;
  await create(StackName, { Resources: { P: parameter({ Name: `/${StackName}/to`, Value }) } });
  expect((await ssm.send(new GetParameterCommand({ Name: `/${StackName}/to` }))).Parameter?.Value).toBe("it was looked up");
  const { StackEvents = [] } = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
  expect(StackEvents.map(({ ResourceProperties }) => ResourceProperties).join()).toContain(Value);
  const failing = await create(fresh(), { Resources: { P: parameter({ Value: "{{resolve:ssm:/nowhere}}" }) } }).catch(
    (error: Error) => error.message,
  );
  expect(failing).toContain("ROLLBACK");
});

test("a secret parameter is told to nobody", async () => {
  const StackName = fresh();
  const template = {
    Parameters: { Secret: { Type: "String", NoEcho: true } },
    Resources: { P: parameter({ Name: `/${StackName}`, Value: { "Fn::Sub": "is ${Secret}" } }) },
  };
  await create(StackName, template, { Parameters: [{ ParameterKey: "Secret", ParameterValue: "hush-hush" }] });
  expect((await ssm.send(new GetParameterCommand({ Name: `/${StackName}` }))).Parameter?.Value).toBe("is hush-hush");
  await cloudformation.send(
    new CreateChangeSetCommand({
      StackName,
      ChangeSetName: "next",
      TemplateBody: body(template),
      Parameters: [{ ParameterKey: "Secret", ParameterValue: "psst-psst" }],
    }),
  );
  const told = await Promise.all([
    stackOf(StackName),
    cloudformation.send(new DescribeStackEventsCommand({ StackName })),
    cloudformation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName: "next", IncludePropertyValues: true })),
  ]);
  expect(JSON.stringify(told)).toContain("****");
  expect(JSON.stringify(told)).not.toMatch(/psst|hush/);
});

test("of two requests at once to create a stack, one wins", async () => {
  const StackName = fresh();
  const TemplateBody = body({
    Parameters: { V: { Type: "AWS::SSM::Parameter::Value<String>", Default: "/race" } },
    Resources: { A: bucket() },
  });
  await ssm.send(new PutParameterCommand({ Name: "/race", Value: "1", Type: "String", Overwrite: true }));
  const answers = await Promise.all([1, 2, 3].map(() => refusal(cloudformation.send(new CreateStackCommand({ StackName, TemplateBody })))));
  expect(answers.toSorted()).toEqual([
    `AlreadyExistsException: Stack [${StackName}] already exists`,
    `AlreadyExistsException: Stack [${StackName}] already exists`,
    "accepted",
  ]);
});

test("a stack of one account is not seen from another", async () => {
  const StackName = fresh();
  await create(StackName, { Resources: { A: bucket() } });
  const other = new CloudFormationClient(accounts.config("production"));
  expect(await refusal(other.send(new DescribeStacksCommand({ StackName })))).toContain("does not exist");
});

test("the developer may not deploy", async () => {
  const developer = new CloudFormationClient(accounts.config("developer"));
  expect(
    await refusal(developer.send(new CreateStackCommand({ StackName: fresh(), TemplateBody: body({ Resources: { A: bucket() } }) }))),
  ).toMatch(/^AccessDenied.*cloudformation:CreateStack/);
});
