import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { HeadBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { expect, test } from "vitest";
import { startAccounts } from "../testing/accounts.ts";
import { openCdk } from "./testing/cdk.ts";

test("the cdk CLI bootstraps, deploys, compares, updates, rolls back and destroys", async () => {
  await using accounts = await startAccounts();
  using cdk = openCdk(accounts.configFile);
  const ssm = new SSMClient(accounts.config());
  const s3 = new S3Client(accounts.config());
  const run = async (...args: string[]) => {
    const { code, output } = await cdk.run(...args, "--profile", "cicd");
    expect(code, output).toBe(0);
    return output;
  };
  const deploy = (...args: string[]) => cdk.run("deploy", "--require-approval", "never", "--profile", "cicd", ...args);
  const deployed = async (...args: string[]) => {
    const { code, output } = await deploy(...args);
    expect(code, output).toBe(0);
  };
  const valueOf = async (Name: string) => (await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
  const outputs = async (StackName: string) => {
    const { Stacks } = await new CloudFormationClient(accounts.config()).send(new DescribeStacksCommand({ StackName }));
    return Object.fromEntries(Stacks![0]!.Outputs!.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  };

  expect(await run("bootstrap", "aws://111122223333/us-east-1")).toContain("bootstrapped");
  const trusting = await cdk.run(
    "bootstrap",
    "aws://444455556666/us-east-1",
    "--trust",
    "111122223333",
    "--cloudformation-execution-policies",
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "--profile",
    "production",
  );
  expect(trusting.code, trusting.output).toBe(0);

  await deployed("--all");
  expect(await valueOf("/app/size")).toBe("1 GB");
  const made = await outputs("Store");
  expect(made["First"]).toBe("store");
  const custom = await outputs("Custom");
  expect(JSON.parse(custom["Echo"]!)).toEqual({ yes: "true", five: "5" });

  expect(await run("diff", "--fail")).toContain("Number of stacks with differences: 0");
  await deployed("Store", "-c", "size=2");
  expect(await valueOf("/app/size")).toBe("2 GB");
  await deployed("Store", "-c", "size=2", "-c", "name=length");
  expect(await valueOf("/app/length")).toBe("2 GB");
  await expect(valueOf("/app/size")).rejects.toThrow(expect.objectContaining({ name: "ParameterNotFound" }));

  const broken = await deploy("Store", "-c", "size=3", "-c", "name=length", "-c", "broken=yes");
  expect(broken.code).toBe(1);
  expect(broken.output).toContain("The parameter already exists");
  expect(await valueOf("/app/length")).toBe("2 GB");
  expect(await run("diff", "Store", "--fail", "-c", "size=2", "-c", "name=length")).toContain("Number of stacks with differences: 0");

  const unserved = await deploy("Unserved", "-c", "unserved=yes");
  expect(unserved.code).toBe(1);
  expect(unserved.output).toContain("Unrecognized resource types: [AWS::SQS::Queue]");

  // The CDK's own function empties the bucket before it is deleted.
  await s3.send(new PutObjectCommand({ Bucket: custom["Bucket"]!, Key: "left/over", Body: "x" }));
  await run("destroy", "--all", "--force");
  for (const Bucket of [made["Name"]!, custom["Bucket"]!])
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).rejects.toThrow(expect.objectContaining({ name: "NotFound" }));
}, 900_000);
