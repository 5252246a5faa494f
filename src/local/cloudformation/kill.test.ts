import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  DescribeStackResourcesCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import { IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { GetParametersByPathCommand, SSMClient } from "@aws-sdk/client-ssm";
import { expect, test } from "vitest";
import { type ServerProcess, startServerProcess } from "./testing/server-process.ts";

/** Layers of resources, each of which needs the one before. */
function template(layers: number, size: string): string {
  const Resources: Record<string, object> = {};
  for (let layer = 0; layer < layers; layer++) {
    const DependsOn = layer === 0 ? [] : [`Bucket${layer - 1}`, `Parameter${layer - 1}`, `Role${layer - 1}`];
    Resources[`Bucket${layer}`] = { Type: "AWS::S3::Bucket", DependsOn, Properties: { BucketName: `killed-${layer}` } };
    Resources[`Parameter${layer}`] = {
      Type: "AWS::SSM::Parameter",
      DependsOn,
      Properties: { Name: `/killed/${layer}`, Type: "String", Value: size },
    };
    Resources[`Role${layer}`] = {
      Type: "AWS::IAM::Role",
      DependsOn,
      Properties: {
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
      },
    };
  }
  return JSON.stringify({ Resources });
}

const LAYERS = 20;
const MOST_KILLS = 4;

test("a server killed during a creation, an update and a deletion finishes each of them", async () => {
  await using server = await startServerProcess();
  const StackName = "killed";
  const cloudformation = () => new CloudFormationClient(server.config);
  const stack = async () => (await cloudformation().send(new DescribeStacksCommand({ StackName: stackId }))).Stacks![0]!;
  // Nobody waits for these answers: the server is killed while it works.
  begun(
    cloudformation().send(new CreateStackCommand({ StackName, TemplateBody: template(LAYERS, "1"), Capabilities: ["CAPABILITY_IAM"] })),
  );
  const describe = () =>
    cloudformation()
      .send(new DescribeStacksCommand({ StackName }))
      .catch(() => undefined);
  await expect.poll(describe, { interval: 1 }).toBeDefined();
  const stackId = (await describe())!.Stacks![0]!.StackId!;
  expect(await killedUntilEnd(server, stack, stackId)).toBe("CREATE_COMPLETE");
  expect(await madeBy(server)).toEqual({ buckets: LAYERS, parameters: Array(LAYERS).fill("1"), roles: LAYERS });
  const { StackResources = [] } = await cloudformation().send(new DescribeStackResourcesCommand({ StackName }));
  expect(StackResources.filter(({ ResourceStatus }) => ResourceStatus === "CREATE_COMPLETE")).toHaveLength(3 * LAYERS);

  begun(
    cloudformation().send(new UpdateStackCommand({ StackName, TemplateBody: template(LAYERS - 2, "2"), Capabilities: ["CAPABILITY_IAM"] })),
  );
  await expect.poll(async () => (await stack()).StackStatus, { interval: 1 }).not.toBe("CREATE_COMPLETE");
  expect(await killedUntilEnd(server, stack, stackId)).toBe("UPDATE_COMPLETE");
  expect(await madeBy(server)).toEqual({ buckets: LAYERS - 2, parameters: Array(LAYERS - 2).fill("2"), roles: LAYERS - 2 });

  begun(cloudformation().send(new DeleteStackCommand({ StackName })));
  await expect.poll(async () => (await stack()).StackStatus, { interval: 1 }).not.toBe("UPDATE_COMPLETE");
  expect(await killedUntilEnd(server, stack, stackId)).toBe("DELETE_COMPLETE");
  expect(await madeBy(server)).toEqual({ buckets: 0, parameters: [], roles: 0 });
  expect(killed, "times the server was killed while an operation was under way").toBeGreaterThan(0);
}, 120_000);

/** Kills so far: one operation may end between two looks, all three may not. */
let killed = 0;

const begun = (answer: Promise<unknown>): void => void answer.catch(() => undefined);

/** Kills the server in the middle of the operation, again and again as it goes on, until it has ended. */
async function killedUntilEnd(
  server: ServerProcess,
  stack: () => Promise<{ StackStatus?: string | undefined }>,
  StackName: string,
): Promise<string> {
  for (let kills = 0; ; kills++) {
    const seen = await lastEvent(server, StackName);
    await expect
      .poll(async () => (await lastEvent(server, StackName)) !== seen || !(await stack()).StackStatus!.endsWith("IN_PROGRESS"), {
        interval: 1,
        timeout: 90_000,
      })
      .toBe(true);
    const { StackStatus = "" } = await stack();
    if (!StackStatus.endsWith("IN_PROGRESS")) return StackStatus;
    if (kills >= MOST_KILLS) continue;
    killed++;
    await server.kill();
    await server.start();
  }
}

async function lastEvent(server: ServerProcess, StackName: string): Promise<string> {
  const { StackEvents = [] } = await new CloudFormationClient(server.config).send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents[0]?.Timestamp?.toISOString() ?? "";
}

async function madeBy({ config }: ServerProcess) {
  const buckets = (await new S3Client(config).send(new ListBucketsCommand({}))).Buckets?.length ?? 0;
  const parameters: (string | undefined)[] = [];
  let NextToken: string | undefined;
  do {
    const page = await new SSMClient(config).send(new GetParametersByPathCommand({ Path: "/killed", ...(NextToken && { NextToken }) }));
    parameters.push(...(page.Parameters ?? []).map(({ Value }) => Value));
    NextToken = page.NextToken;
  } while (NextToken);
  const roles = (await new IAMClient(config).send(new ListRolesCommand({}))).Roles?.filter(({ RoleName }) =>
    RoleName?.startsWith("killed-"),
  ).length;
  return { buckets, parameters, roles };
}
