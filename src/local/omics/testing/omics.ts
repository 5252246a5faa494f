import { CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateWorkflowCommand,
  GetRunCommand,
  GetWorkflowCommand,
  GetWorkflowVersionCommand,
  OmicsClient,
  StartRunCommand,
  type GetRunCommandOutput,
  type StartRunCommandInput,
} from "@aws-sdk/client-omics";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { strToU8, zipSync } from "fflate";
import { systemClock } from "../../../kit/clock.ts";
import { CICD, startAccounts, type ClientConfig } from "../../testing/accounts.ts";

/** Local accounts with a bucket and a run role, and what tests of HealthOmics do all the time. */
export interface OmicsLab extends AsyncDisposable {
  readonly config: ClientConfig;
  /** The production account of the same local accounts. */
  readonly productionConfig: ClientConfig;
  readonly omics: OmicsClient;
  readonly s3: S3Client;
  readonly iam: IAMClient;
  readonly bucket: string;
  readonly roleArn: string;
  /** The id of a workflow that became ACTIVE. @throws Error with its statusMessage when it did not */
  workflow(files: Readonly<Record<string, string>>, more?: object): Promise<string>;
  /** A workflow as it is when it has left CREATING. */
  settled(id: string): Promise<Awaited<ReturnType<typeof getWorkflow>>>;
  settledVersion(workflowId: string, versionName: string): Promise<Awaited<ReturnType<typeof getVersion>>>;
  start(input: Partial<StartRunCommandInput>): Promise<string>;
  /** A run as it is when it has ended. */
  ended(id: string): Promise<GetRunCommandOutput>;
  put(key: string, body: string): Promise<string>;
  get(key: string): Promise<string>;
  keys(prefix: string): Promise<readonly string[]>;
  logLines(stream: string): Promise<readonly string[]>;
}

export const zipOf = (files: Readonly<Record<string, string>>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));

const getWorkflow = (omics: OmicsClient, id: string) => omics.send(new GetWorkflowCommand({ id }));
const getVersion = (omics: OmicsClient, workflowId: string, versionName: string) =>
  omics.send(new GetWorkflowVersionCommand({ workflowId, versionName }));

const statement = (Action: string | readonly string[], Resource: string) => ({ Effect: "Allow", Action, Resource });

export const RUN_ROLE = [
  statement(["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "*"),
  statement(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], "*"),
  statement(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"], "*"),
];

export const policyOf = (statements: readonly object[]): string => JSON.stringify({ Version: "2012-10-17", Statement: statements });

export async function makeRole(iam: IAMClient, name: string, statements: readonly object[] = RUN_ROLE): Promise<string> {
  const trust = policyOf([{ Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: "sts:AssumeRole" }]);
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust }));
  await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "runs", PolicyDocument: policyOf(statements) }));
  return Role?.Arn ?? "";
}

async function poll<T>(read: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (isDone(value)) return value;
    await systemClock.sleep(50);
  }
}

export async function openLab(overrides: Parameters<typeof startAccounts>[0] = {}): Promise<OmicsLab> {
  return furnish(await startAccounts({ containers: "host", ...overrides }));
}

/** Accounts that anybody started, with a client configuration. */
interface Reachable extends AsyncDisposable {
  config(profile?: "cicd" | "production"): ClientConfig;
}

/** The lab in accounts that have neither its bucket nor its role. */
export async function furnish(accounts: Reachable, where: Where = LAB): Promise<OmicsLab> {
  const lab = connect(accounts, where);
  await lab.s3.send(new CreateBucketCommand({ Bucket: lab.bucket }));
  await makeRole(lab.iam, "run-role");
  return lab;
}

interface Where {
  readonly bucket: string;
  readonly account: string;
}

const LAB: Where = { bucket: "lab-bucket", account: CICD };

function connect(accounts: Reachable, { bucket, account }: Where): OmicsLab {
  const config = accounts.config("cicd");
  const [omics, s3, iam, logs] = [new OmicsClient(config), new S3Client(config), new IAMClient(config), new CloudWatchLogsClient(config)];
  const roleArn = `arn:aws:iam::${account}:role/run-role`;
  const settled = (id: string) =>
    poll(
      () => getWorkflow(omics, id),
      ({ status }) => status !== "CREATING",
    );
  return {
    config,
    productionConfig: accounts.config("production"),
    omics,
    s3,
    iam,
    bucket,
    roleArn,
    settled,
    settledVersion: (workflowId, versionName) =>
      poll(
        () => getVersion(omics, workflowId, versionName),
        ({ status }) => status !== "CREATING",
      ),
    async workflow(files, more = {}) {
      const { id = "" } = await omics.send(new CreateWorkflowCommand({ name: "lab", definitionZip: zipOf(files), ...more }));
      const { status, statusMessage } = await settled(id);
      if (status !== "ACTIVE") throw new Error(`workflow ${id} is ${status}: ${statusMessage}`);
      return id;
    },
    async start(input) {
      const { id = "" } = await omics.send(new StartRunCommand({ roleArn, outputUri: `s3://${bucket}/runs`, ...input }));
      return id;
    },
    ended: (id) =>
      poll(
        () => omics.send(new GetRunCommand({ id })),
        ({ status }) => status === "COMPLETED" || status === "FAILED" || status === "CANCELLED",
      ),
    async put(key, body) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
      return `s3://${bucket}/${key}`;
    },
    async get(key) {
      return (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body?.transformToString() ?? "";
    },
    async keys(prefix) {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
      return Contents.map(({ Key = "" }) => Key);
    },
    async logLines(stream) {
      const { events = [] } = await logs.send(
        new GetLogEventsCommand({ logGroupName: "/aws/omics/WorkflowLog", logStreamName: stream, startFromHead: true }),
      );
      return events.map(({ message = "" }) => message);
    },
    [Symbol.asyncDispose]: () => accounts[Symbol.asyncDispose](),
  };
}
