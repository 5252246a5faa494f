import { strToU8, zipSync } from "fflate";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { ServerProcess } from "./accounts.ts";

/** What the requests of the bench name. */
export interface Furnished {
  readonly workflowId: string;
  readonly runId: string;
  readonly taskId: string;
  readonly groupId: string;
  readonly roleArn: string;
}

const WDL = `version 1.1
workflow W {
  input { String name = "you"  Int seconds = 0 }
  call t { input: name = name, seconds = seconds }
  output { String said = t.said }
}
task t {
  input { String name  Int seconds }
  command <<< sleep ~{seconds}; echo ~{name} >>>
  output { String said = read_string(stdout()) }
}`;

const zip = (): string => Buffer.from(zipSync({ "main.wdl": strToU8(WDL) })).toString("base64");

/** Makes a bucket, a role, a workflow with a version, a group, and a run that ended. */
export async function furnish(server: ServerProcess): Promise<Furnished> {
  const roleArn = await makeRole(server);
  const create = async (path: string, body: object): Promise<{ readonly id: string }> => {
    const answer = await server.send("POST", path, { requestId: `${path}-${JSON.stringify(body).length}`, ...body });
    if (answer.status !== 201) throw new Error(answer.body);
    return JSON.parse(answer.body) as { id: string };
  };
  const { id: workflowId } = await create("/workflow", { name: "bench", definitionZip: zip() });
  await status(server, `/workflow/${workflowId}`, ["ACTIVE", "FAILED"]);
  await create(`/workflow/${workflowId}/version`, { versionName: "1.0.0", definitionZip: zip() });
  const { id: groupId } = await create("/runGroup", { name: "bench", maxRuns: 1 });
  const { id: runId } = await create("/run", {
    workflowId,
    roleArn,
    outputUri: "s3://bench-bucket/runs",
    name: "first",
    tags: { team: "bench" },
  });
  await status(server, `/run/${runId}`, ["COMPLETED", "FAILED"]);
  const tasks = JSON.parse((await server.send("GET", `/run/${runId}/task`)).body) as { items: readonly { taskId: string }[] };
  return { workflowId, runId, groupId, roleArn, taskId: tasks.items[0]?.taskId ?? "" };
}

async function status(server: ServerProcess, path: string, wanted: readonly string[]): Promise<void> {
  for (;;) {
    const { body } = await server.send("GET", path);
    const found = JSON.parse(body) as { readonly status: string; readonly statusMessage?: string };
    if (found.status === "FAILED") throw new Error(found.statusMessage);
    if (wanted.includes(found.status)) return;
  }
}

async function makeRole({ url, credentials }: ServerProcess): Promise<string> {
  const config = { endpoint: url, region: "us-east-1", credentials, forcePathStyle: true };
  await new S3Client(config).send(new CreateBucketCommand({ Bucket: "bench-bucket" }));
  const iam = new IAMClient(config);
  const policy = (Statement: object): string => JSON.stringify({ Version: "2012-10-17", Statement: [Statement] });
  const trust = policy({ Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: "sts:AssumeRole" });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "bench", AssumeRolePolicyDocument: trust }));
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: "bench",
      PolicyName: "all",
      PolicyDocument: policy({ Effect: "Allow", Action: ["s3:*", "logs:*", "ecr:*"], Resource: "*" }),
    }),
  );
  return Role?.Arn ?? "";
}
