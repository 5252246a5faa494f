import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateWorkflowCommand, ListTagsForResourceCommand, OmicsClient, StartRunCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLab, policyOf, zipOf, type OmicsLab } from "./testing/omics.ts";

// Which resources IAM is asked about: https://docs.aws.amazon.com/service-authorization/latest/reference/list_omics.html

let lab: OmicsLab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

/** A user who may do what is listed, and nothing else. */
async function userWho(UserName: string, statements: readonly object[]): Promise<OmicsClient> {
  await lab.iam.send(new CreateUserCommand({ UserName }));
  await lab.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument: policyOf(statements) }));
  const { AccessKey } = await lab.iam.send(new CreateAccessKeyCommand({ UserName }));
  return new OmicsClient({
    ...lab.config,
    credentials: { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" },
  });
}

test("reading tags knows no resource: who may on workflows alone is refused", async () => {
  const { arn: resourceArn } = await lab.omics.send(
    new CreateWorkflowCommand({
      name: "tagged",
      tags: { team: "phages" },
      definitionZip: zipOf({ "main.wdl": "version 1.1\nworkflow W {}" }),
    }),
  );
  const list = async (name: string, Resource: string) =>
    (await userWho(name, [{ Effect: "Allow", Action: "omics:ListTagsForResource", Resource }])).send(
      new ListTagsForResourceCommand({ resourceArn }),
    );
  await expect(list("on-workflows", "arn:aws:omics:us-east-1:111122223333:workflow/*")).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining("omics:ListTagsForResource") as string,
  });
  expect((await list("on-all", "*")).tags).toEqual({ team: "phages" });
});

test.each([
  ["cacheId", { cacheId: "1234567" }, "runCache/1234567"],
  ["configurationName", { networkingMode: "VPC" as const, configurationName: "vpc" }, "configuration/vpc"],
])("StartRun with %s is asked on that too", async (member, more, resource) => {
  const omics = await userWho(`starts-with-${member}`, [
    {
      Effect: "Allow",
      Action: ["omics:StartRun", "iam:PassRole"],
      Resource: ["arn:aws:omics:*:*:run/*", "arn:aws:omics:*:*:workflow/*", "arn:aws:iam::*:role/*"],
    },
  ]);
  const start = omics.send(
    new StartRunCommand({
      workflowId: "7654321",
      roleArn: "arn:aws:iam::111122223333:role/runner",
      outputUri: "s3://lab-bucket/runs/",
      requestId: crypto.randomUUID(),
      ...more,
    }),
  );
  await expect(start).rejects.toMatchObject({ name: "AccessDeniedException", message: expect.stringContaining(resource) as string });
});
