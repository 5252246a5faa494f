import {
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  UpdateStackCommand,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { body, bucket, fresh, openStackLab, parameter, refusal, type StackLab } from "../testing/stack-lab.ts";

let lab: StackLab;
beforeAll(async () => {
  lab = await openStackLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("a stack may be a resource of another, with its outputs as attributes", async () => {
  const StackName = fresh();
  await lab.s3.send(new CreateBucketCommand({ Bucket: `${StackName}-nested` }));
  const put = async (Key: string, template: object) => {
    await lab.s3.send(new PutObjectCommand({ Bucket: `${StackName}-nested`, Key, Body: body(template) }));
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
    await lab.cloudformation.send(new UpdateStackCommand({ StackName, TemplateBody: body(template) }));
    await waitUntilStackUpdateComplete(lab.waiting, { StackName }).catch(() => undefined);
    return (await lab.stackOf(StackName)).StackStatus;
  };
  const url = await put("one.json", inner());
  await lab.create(StackName, outer(url, "1"));
  const { StackResources = [] } = await lab.cloudformation.send(
    new DescribeStackResourcesCommand({ StackName, LogicalResourceId: "Inner" }),
  );
  const nested = await lab.stackOf(StackResources[0]!.PhysicalResourceId!);
  expect(nested).toMatchObject({
    StackStatus: "CREATE_COMPLETE",
    ParentId: (await lab.stackOf(StackName)).StackId,
    StackName: expect.stringMatching(`^${StackName}-Inner-`),
  });
  const valueOf = async (Name: string) => (await lab.ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
  const innerName = (await valueOf(`/${StackName}/copy`))!;
  expect(innerName).toBe(nested.Outputs![0]!.OutputValue);
  expect(await update(outer(url, "2"))).toBe("UPDATE_COMPLETE");
  expect(await valueOf(innerName)).toBe("2");
  const bad = await put("bad.json", inner({ Taken: bucket({ BucketName: `${StackName}-nested` }) }));
  expect(await update(outer(bad, "3"))).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(await valueOf(innerName)).toBe("2");
  const { StackEvents = [] } = await lab.cloudformation.send(new DescribeStackEventsCommand({ StackName }));
  expect(StackEvents.map(({ ResourceStatusReason }) => ResourceStatusReason)).toContainEqual(
    expect.stringMatching(/^Embedded stack arn:.* was not successfully updated: The following resource\(s\) failed to create: \[Taken\]/),
  );
  await lab.cloudformation.send(new DeleteStackCommand({ StackName }));
  await expect.poll(() => refusal(lab.stackOf(StackName))).toContain("does not exist");
  expect(await lab.stackOf(nested.StackId!)).toMatchObject({ StackStatus: "DELETE_COMPLETE" });
});
