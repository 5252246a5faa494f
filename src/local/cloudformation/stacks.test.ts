import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourceCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ListExportsCommand,
  ListImportsCommand,
  ListStackResourcesCommand,
  ListStacksCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { CreateBucketCommand, GetBucketTaggingCommand, HeadBucketCommand, ListBucketsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { body, bucket, fresh, openStackLab, parameter, refusal, type StackLab } from "./testing/stack-lab.ts";

let lab: StackLab;
beforeAll(async () => {
  lab = await openStackLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("stacks", () => {
  test("a template of a bucket and a parameter becomes a bucket and a parameter", async () => {
    const StackName = fresh();
    await lab.create(
      StackName,
      {
        Parameters: { Name: { Type: "String" } },
        Resources: { Bucket: bucket(), Where: parameter({ Name: { Ref: "Name" }, Value: { "Fn::GetAtt": ["Bucket", "Arn"] } }) },
        Outputs: { Bucket: { Value: { Ref: "Bucket" }, Export: { Name: { "Fn::Sub": "${AWS::StackName}:bucket" } } } },
      },
      { Parameters: [{ ParameterKey: "Name", ParameterValue: "/where" }], Tags: [{ Key: "team", Value: "omx" }] },
    );
    const stack = await lab.stackOf(StackName);
    const name = stack.Outputs![0]!.OutputValue!;
    expect(name).toMatch(new RegExp(`^${StackName}-bucket-[a-z0-9]{12}$`));
    await lab.s3.send(new HeadBucketCommand({ Bucket: name }));
    expect((await lab.ssm.send(new GetParameterCommand({ Name: "/where" }))).Parameter?.Value).toBe(`arn:aws:s3:::${name}`);
    expect((await lab.s3.send(new GetBucketTaggingCommand({ Bucket: name }))).TagSet).toContainEqual({ Key: "team", Value: "omx" });
    expect(stack).toMatchObject({
      StackStatus: "CREATE_COMPLETE",
      Outputs: [{ ExportName: `${StackName}:bucket` }],
      Tags: [{ Key: "team", Value: "omx" }],
    });
    expect((await lab.cloudformation.send(new ListExportsCommand({}))).Exports).toContainEqual({
      ExportingStackId: stack.StackId,
      Name: `${StackName}:bucket`,
      Value: name,
    });
  });

  test("an update changes, an unchanged one is refused, a deletion removes", async () => {
    const StackName = fresh();
    const template = (Value: string) => ({ Resources: { P: parameter({ Name: `/${StackName}`, Value }) } });
    await lab.create(StackName, template("one"));
    const update = (Value: string) => lab.cloudformation.send(new UpdateStackCommand({ StackName, TemplateBody: body(template(Value)) }));
    expect(await refusal(update("one"))).toBe("ValidationError: No updates are to be performed.");
    await update("two");
    await waitUntilStackUpdateComplete(lab.waiting, { StackName });
    expect((await lab.ssm.send(new GetParameterCommand({ Name: `/${StackName}` }))).Parameter?.Value).toBe("two");
    const { StackId } = await lab.stackOf(StackName);
    await lab.cloudformation.send(new DeleteStackCommand({ StackName }));
    await waitUntilStackDeleteComplete(lab.waiting, { StackName: StackId! });
    expect(await refusal(lab.ssm.send(new GetParameterCommand({ Name: `/${StackName}` })))).toMatch(/^ParameterNotFound/);
    expect(await refusal(lab.stackOf(StackName))).toBe(`ValidationError: Stack with id ${StackName} does not exist`);
    expect(await lab.stackOf(StackId!)).toMatchObject({ StackStatus: "DELETE_COMPLETE", DeletionTime: expect.any(Date) });
    expect((await lab.cloudformation.send(new DescribeStackEventsCommand({ StackName: StackId! }))).StackEvents?.[0]).toMatchObject({
      ResourceStatus: "DELETE_COMPLETE",
      LogicalResourceId: StackName,
    });
    await lab.cloudformation.send(new DeleteStackCommand({ StackName }));
  });

  test("a resource that a service refuses rolls the stack back, with the service's words", async () => {
    const StackName = fresh();
    await lab.s3.send(new CreateBucketCommand({ Bucket: "taken-already" }));
    const ended = await lab
      .create(StackName, {
        Resources: { A: bucket(), B: bucket({ BucketName: "taken-already" }, { DependsOn: "A" }) },
      })
      .catch((error: Error) => error.message);
    expect(ended).toContain("ROLLBACK");
    await expect.poll(async () => (await lab.stackOf(StackName)).StackStatus).toBe("ROLLBACK_COMPLETE");
    const { StackEvents = [] } = await lab.cloudformation.send(new DescribeStackEventsCommand({ StackName }));
    expect(StackEvents.find(({ ResourceStatus }) => ResourceStatus === "CREATE_FAILED")).toMatchObject({
      LogicalResourceId: "B",
      ResourceStatusReason: expect.stringMatching(/already/),
    });
    expect((await lab.s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).not.toContainEqual(
      expect.stringMatching(`^${StackName}`),
    );
  });

  test("a bucket that holds objects fails the deletion, which then goes on", async () => {
    const StackName = fresh();
    await lab.create(StackName, { Resources: { A: bucket({ BucketName: `${StackName}-full` }), B: bucket() } });
    await lab.s3.send(new PutObjectCommand({ Bucket: `${StackName}-full`, Key: "k", Body: "v" }));
    await lab.cloudformation.send(new DeleteStackCommand({ StackName }));
    await expect.poll(async () => (await lab.stackOf(StackName)).StackStatus).toBe("DELETE_FAILED");
    expect((await lab.stackOf(StackName)).StackStatusReason).toBe("The following resource(s) failed to delete: [A].");
    await lab.cloudformation.send(new DeleteStackCommand({ StackName, RetainResources: ["A"] }));
    await expect.poll(() => refusal(lab.stackOf(StackName))).toContain("does not exist");
    await lab.s3.send(new HeadBucketCommand({ Bucket: `${StackName}-full` }));
  });

  test("a protected stack is not deleted", async () => {
    const StackName = fresh();
    await lab.create(StackName, { Resources: { A: bucket() } });
    await lab.cloudformation.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: true }));
    expect(await refusal(lab.cloudformation.send(new DeleteStackCommand({ StackName })))).toContain(
      "cannot be deleted while TerminationProtection is enabled",
    );
  });

  test("are listed and described, with their resources", async () => {
    const StackName = fresh();
    await lab.create(StackName, { Description: "two buckets", Resources: { A: bucket({}, { Metadata: { why: 1 } }), B: bucket() } });
    const { StackResources = [] } = await lab.cloudformation.send(new DescribeStackResourcesCommand({ StackName }));
    expect(StackResources.map(({ LogicalResourceId, ResourceStatus }) => [LogicalResourceId, ResourceStatus])).toEqual([
      ["A", "CREATE_COMPLETE"],
      ["B", "CREATE_COMPLETE"],
    ]);
    const { PhysicalResourceId } = StackResources[0]!;
    expect((await lab.cloudformation.send(new DescribeStackResourcesCommand({ PhysicalResourceId }))).StackResources?.[0]?.StackName).toBe(
      StackName,
    );
    expect(
      (await lab.cloudformation.send(new DescribeStackResourceCommand({ StackName, LogicalResourceId: "A" }))).StackResourceDetail,
    ).toMatchObject({ PhysicalResourceId, Metadata: '{"why":1}' });
    expect((await lab.cloudformation.send(new ListStackResourcesCommand({ StackName }))).StackResourceSummaries).toHaveLength(2);
    expect(
      (await lab.cloudformation.send(new ListStacksCommand({ StackStatusFilter: ["CREATE_COMPLETE"] }))).StackSummaries,
    ).toContainEqual(expect.objectContaining({ StackName, TemplateDescription: "two buckets" }));
    expect(await refusal(lab.cloudformation.send(new DescribeStackEventsCommand({ StackName: "nobody" })))).toBe(
      "ValidationError: Stack [nobody] does not exist",
    );
  });

  test("imports hold an export in place", async () => {
    const [from, to] = [fresh(), fresh()];
    await lab.create(from, { Resources: { A: bucket() }, Outputs: { O: { Value: { Ref: "A" }, Export: { Name: "held" } } } });
    await lab.create(to, { Resources: { P: parameter({ Value: { "Fn::ImportValue": "held" } }) } });
    expect((await lab.cloudformation.send(new ListImportsCommand({ ExportName: "held" }))).Imports).toEqual([to]);
    await lab.cloudformation.send(new DeleteStackCommand({ StackName: from }));
    await expect
      .poll(async () => (await lab.stackOf(from)).StackStatusReason)
      .toBe(`Export held cannot be deleted as it is in use by ${to}`);
    expect(await refusal(lab.create(fresh(), { Resources: { P: parameter({ Value: { "Fn::ImportValue": "nowhere" } }) } }))).toBe(
      "ValidationError: No export named nowhere found.",
    );
  });
});

test("of two requests at once to create a stack, one wins", async () => {
  const StackName = fresh();
  const TemplateBody = body({
    Parameters: { V: { Type: "AWS::SSM::Parameter::Value<String>", Default: "/race" } },
    Resources: { A: bucket() },
  });
  await lab.ssm.send(new PutParameterCommand({ Name: "/race", Value: "1", Type: "String", Overwrite: true }));
  const answers = await Promise.all(
    [1, 2, 3].map(() => refusal(lab.cloudformation.send(new CreateStackCommand({ StackName, TemplateBody })))),
  );
  expect(answers.toSorted()).toEqual([
    `AlreadyExistsException: Stack [${StackName}] already exists`,
    `AlreadyExistsException: Stack [${StackName}] already exists`,
    "accepted",
  ]);
});

test("a stack of one account is not seen from another", async () => {
  const StackName = fresh();
  await lab.create(StackName, { Resources: { A: bucket() } });
  const other = new CloudFormationClient(lab.accounts.config("production"));
  expect(await refusal(other.send(new DescribeStacksCommand({ StackName })))).toContain("does not exist");
});

test("the developer may not deploy", async () => {
  const developer = new CloudFormationClient(lab.accounts.config("developer"));
  expect(
    await refusal(developer.send(new CreateStackCommand({ StackName: fresh(), TemplateBody: body({ Resources: { A: bucket() } }) }))),
  ).toMatch(/^AccessDenied.*cloudformation:CreateStack/);
});
