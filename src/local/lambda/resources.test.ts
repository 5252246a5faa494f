import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand, UpdateStackCommand } from "@aws-sdk/client-cloudformation";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { allow, document, Door } from "./testing/door.ts";

// Accounts of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const { invoke, lambda, role } = new Door(() => accounts);

/** CloudFormation as a user who may do all but keep room for a function. */
async function limited(): Promise<CloudFormationClient> {
  const iam = new IAMClient(accounts.config());
  await iam.send(new CreateUserCommand({ UserName: "deployer" }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName: "deployer",
      PolicyName: "p",
      PolicyDocument: document(allow("*"), { Effect: "Deny", Action: "lambda:PutFunctionConcurrency", Resource: "*" }),
    }),
  );
  const { AccessKey: { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = {} } = await iam.send(
    new CreateAccessKeyCommand({ UserName: "deployer" }),
  );
  return new CloudFormationClient({ ...accounts.config(), credentials: { accessKeyId, secretAccessKey } });
}

test("a function takes the code of its stack's template, and is gone, or as it was, where a part of it is refused", async () => {
  const client = await limited();
  const Role = await role();
  const template = (says: string, more: object = {}) =>
    JSON.stringify({
      Resources: {
        Function: {
          Type: "AWS::Lambda::Function",
          Properties: {
            FunctionName: "by-stack",
            Runtime: "nodejs24.x",
            Handler: "index.handler",
            Role,
            Code: { ZipFile: `exports.handler = async () => "${says}";` },
            ...more,
          },
        },
      },
    });
  const ends = (StackName: string, status: string) =>
    vi.waitFor(async () => expect((await client.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0]?.StackStatus).toBe(status), {
      timeout: 100_000,
      interval: 50,
    });
  const refused = { ReservedConcurrentExecutions: 1 };

  await client.send(new CreateStackCommand({ StackName: "refused", TemplateBody: template("one", refused) }));
  await ends("refused", "ROLLBACK_COMPLETE");
  expect((await lambda().send(new ListFunctionsCommand({}))).Functions).toEqual([]);

  const StackName = "made";
  await client.send(new CreateStackCommand({ StackName, TemplateBody: template("one") }));
  await ends(StackName, "CREATE_COMPLETE");
  await client.send(new UpdateStackCommand({ StackName, TemplateBody: template("two", { Description: "the second" }) }));
  await ends(StackName, "UPDATE_COMPLETE");
  expect((await invoke("by-stack")).payload).toBe("two");
  await client.send(new UpdateStackCommand({ StackName, TemplateBody: template("three", { Description: "the third", ...refused }) }));
  await ends(StackName, "UPDATE_ROLLBACK_COMPLETE");
  expect([
    (await invoke("by-stack")).payload,
    (await lambda().send(new ListFunctionsCommand({}))).Functions?.map(({ Description }) => Description),
  ]).toEqual(["two", ["the second"]]);
});
