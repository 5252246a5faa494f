import {
  CreateChangeSetCommand,
  CreateStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  GetTemplateCommand,
  GetTemplateSummaryCommand,
  ValidateTemplateCommand,
  waitUntilStackCreateComplete,
} from "@aws-sdk/client-cloudformation";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { body, fresh, openStackLab, parameter, refusal, type StackLab } from "./testing/stack-lab.ts";

let lab: StackLab;
beforeAll(async () => {
  lab = await openStackLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("templates", () => {
  test("come back byte for byte", async () => {
    const StackName = fresh();
    const text = '# a comment\nResources:\n  A:   { Type: "AWS::S3::Bucket" }   \n\n';
    await lab.cloudformation.send(new CreateStackCommand({ StackName, TemplateBody: text }));
    expect((await lab.cloudformation.send(new GetTemplateCommand({ StackName, TemplateStage: "Original" }))).TemplateBody).toBe(text);
    await waitUntilStackCreateComplete(lab.waiting, { StackName });
  });

  test("are summarized and validated", async () => {
    const TemplateBody = body({
      Parameters: { P: { Type: "String", Default: "d", NoEcho: true } },
      Resources: { R: { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: {} } } },
    });
    expect(await lab.cloudformation.send(new GetTemplateSummaryCommand({ TemplateBody }))).toMatchObject({
      ResourceTypes: ["AWS::IAM::Role"],
      Capabilities: ["CAPABILITY_IAM"],
      Parameters: [{ ParameterKey: "P", ParameterType: "String", DefaultValue: "d", NoEcho: true }],
    });
    expect(await lab.cloudformation.send(new ValidateTemplateCommand({ TemplateBody }))).toMatchObject({
      Parameters: [{ ParameterKey: "P" }],
    });
    expect(await refusal(lab.cloudformation.send(new ValidateTemplateCommand({ TemplateBody: "a: [" })))).toContain(
      "ValidationError: Template format error: YAML not well-formed. (line 1",
    );
  });

  test("come from an object of S3, and their parameters from SSM", async () => {
    const StackName = fresh();
    await lab.s3.send(new CreateBucketCommand({ Bucket: `${StackName}-templates` }));
    await lab.ssm.send(new PutParameterCommand({ Name: `/${StackName}/version`, Value: "21", Type: "String" }));
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
    await lab.s3.send(new PutObjectCommand({ Bucket: `${StackName}-templates`, Key: "a b/t.json", Body: body(template) }));
    const abroad = new S3Client({ ...lab.accounts.config(), region: "eu-west-1" });
    await abroad.send(new CreateBucketCommand({ Bucket: `${StackName}-abroad` }));
    await abroad.send(new PutObjectCommand({ Bucket: `${StackName}-abroad`, Key: "t.json", Body: body(template) }));
    await lab.cloudformation.send(
      new CreateStackCommand({ StackName: fresh(), TemplateURL: `${lab.accounts.url}/${StackName}-abroad/t.json` }),
    );
    const TemplateURL = `${lab.accounts.url}/${StackName}-templates/a%20b/t.json`;
    await lab.cloudformation.send(new CreateStackCommand({ StackName, TemplateURL }));
    await waitUntilStackCreateComplete(lab.waiting, { StackName });
    expect(await lab.stackOf(StackName)).toMatchObject({
      Outputs: [{ OutputValue: "21" }],
      Parameters: [{ ParameterKey: "V", ParameterValue: `/${StackName}/version`, ResolvedValue: "21" }],
    });
    expect(
      await refusal(lab.cloudformation.send(new CreateStackCommand({ StackName: fresh(), TemplateURL: `${TemplateURL}x` }))),
    ).toContain("ValidationError: S3 error: ");
    expect(
      await refusal(lab.cloudformation.send(new CreateStackCommand({ StackName: fresh(), TemplateURL: "https://example.com/t.json" }))),
    ).toBe("ValidationError: TemplateURL must be a supported URL.");
  });
});

test("a dynamic reference is looked up when the resource is made, and told as it is written", async () => {
  const StackName = fresh();
  await lab.ssm.send(new PutParameterCommand({ Name: `/${StackName}/from`, Value: "looked up", Type: "String" }));
  const Value = `it was {{resolve:ssm:/${StackName}/from}}`;
  await lab.create(StackName, { Resources: { P: parameter({ Name: `/${StackName}/to`, Value }) } });
  expect((await lab.ssm.send(new GetParameterCommand({ Name: `/${StackName}/to` }))).Parameter?.Value).toBe("it was looked up");
  const { StackEvents = [] } = await lab.cloudformation.send(new DescribeStackEventsCommand({ StackName }));
  expect(StackEvents.map(({ ResourceProperties }) => ResourceProperties).join()).toContain(Value);
  const failing = await lab
    .create(fresh(), { Resources: { P: parameter({ Value: "{{resolve:ssm:/nowhere}}" }) } })
    .catch((error: Error) => error.message);
  expect(failing).toContain("ROLLBACK");
});

test("a secret parameter is told to nobody", async () => {
  const StackName = fresh();
  const template = {
    Parameters: { Secret: { Type: "String", NoEcho: true } },
    Resources: { P: parameter({ Name: `/${StackName}`, Value: { "Fn::Sub": "is ${Secret}" } }) },
  };
  await lab.create(StackName, template, { Parameters: [{ ParameterKey: "Secret", ParameterValue: "hush-hush" }] });
  expect((await lab.ssm.send(new GetParameterCommand({ Name: `/${StackName}` }))).Parameter?.Value).toBe("is hush-hush");
  await lab.cloudformation.send(
    new CreateChangeSetCommand({
      StackName,
      ChangeSetName: "next",
      TemplateBody: body(template),
      Parameters: [{ ParameterKey: "Secret", ParameterValue: "psst-psst" }],
    }),
  );
  const told = await Promise.all([
    lab.stackOf(StackName),
    lab.cloudformation.send(new DescribeStackEventsCommand({ StackName })),
    lab.cloudformation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName: "next", IncludePropertyValues: true })),
  ]);
  expect(JSON.stringify(told)).toContain("****");
  expect(JSON.stringify(told)).not.toMatch(/psst|hush/);
});
