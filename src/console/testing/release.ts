import {
  CodePipelineClient,
  CreatePipelineCommand,
  GetPipelineStateCommand,
  ListPipelineExecutionsCommand,
} from "@aws-sdk/client-codepipeline";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { vi } from "vitest";
import { awsClients } from "../../aws/clients.ts";
import { systemClock } from "../../kit/clock.ts";
import { type PipelineLab, pipelineLab } from "../../local/codepipeline/testing/pipeline-lab.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { artifactsBucket } from "../../release/names.ts";
import { toHtml } from "../../release/testrun/report.ts";
import { type Console, startConsole } from "../console.ts";

export const BUCKET = artifactsBucket(CICD, REGION);
const ROLE = "console-test-pipeline";

/** The console, working as one of the identities of the local accounts. */
export function consoleAs(accounts: TestAccounts, profile: "cicd" | "approver" | "developer"): Promise<Console> {
  const { endpoint, region, credentials } = accounts.config(profile);
  return startConsole({ clients: awsClients({ endpoint, region, credentials }), region, account: CICD, port: 0, clock: systemClock });
}

/** The console beside pipelines that a test makes. */
export interface PipelinePage extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly lab: PipelineLab;
  readonly s3: S3Client;
  /** Of a page, as the approver gets it. */
  read(path: string): Promise<string>;
}

/** Accounts with these buckets, the pipelines' store and a source for them, and the console as the approver. */
export async function pipelinePage(...buckets: readonly string[]): Promise<PipelinePage> {
  const accounts = await startAccounts();
  const [lab, approver, s3] = [pipelineLab(accounts), await consoleAs(accounts, "approver"), new S3Client(accounts.config())];
  for (const bucket of ["store", ...buckets]) await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await lab.archive("sources", { "main.wdl": "version 1.1\n" });
  return {
    accounts,
    lab,
    s3,
    read: async (path) => (await fetch(approver.url + path)).text(),
    async [Symbol.asyncDispose]() {
      await approver.close();
      await accounts[Symbol.asyncDispose]();
    },
  };
}

/** The bucket and the role that the pipelines of the tests share. */
export async function prepare(accounts: TestAccounts): Promise<void> {
  const [s3, iam] = [new S3Client(accounts.config()), new IAMClient(accounts.config())];
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: "Enabled" } }));
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "codepipeline.amazonaws.com" }, Action: "sts:AssumeRole" }],
  };
  await iam.send(new CreateRoleCommand({ RoleName: ROLE, AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] };
  await iam.send(new PutRolePolicyCommand({ RoleName: ROLE, PolicyName: "all", PolicyDocument: JSON.stringify(policy) }));
}

/** A pipeline `omx-<workflow>` of a source and an approval, with evidence of version 1.2.1; its execution waits for an answer. */
export async function waitingRelease(accounts: TestAccounts, workflow: string): Promise<string> {
  const [codepipeline, s3] = [new CodePipelineClient(accounts.config()), new S3Client(accounts.config())];
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `sources/${workflow}.zip`, Body: "a source" }));
  const action = (category: "Source" | "Approval", provider: string) => ({ category, owner: "AWS" as const, provider, version: "1" });
  const name = `omx-${workflow}`;
  await codepipeline.send(
    new CreatePipelineCommand({
      pipeline: {
        name,
        pipelineType: "V2",
        executionMode: "QUEUED",
        roleArn: `arn:aws:iam::${CICD}:role/${ROLE}`,
        artifactStore: { type: "S3", location: BUCKET },
        stages: [
          {
            name: "Source",
            actions: [
              {
                name: "Source",
                actionTypeId: action("Source", "S3"),
                configuration: { S3Bucket: BUCKET, S3ObjectKey: `sources/${workflow}.zip`, PollForSourceChanges: "false" },
                outputArtifacts: [{ name: "Source" }],
              },
            ],
          },
          { name: "Approve", actions: [{ name: "Approve", actionTypeId: action("Approval", "Manual") }] },
        ],
      },
    }),
  );
  // A new pipeline starts by itself.
  const { pipelineExecutionSummaries } = await codepipeline.send(new ListPipelineExecutionsCommand({ pipelineName: name }));
  const id = pipelineExecutionSummaries?.[0]?.pipelineExecutionId ?? "";
  await writeEvidence(s3, workflow, id);
  await vi.waitFor(
    async () => {
      const { stageStates } = await codepipeline.send(new GetPipelineStateCommand({ name }));
      if (!stageStates?.[1]?.actionStates?.[0]?.latestExecution?.token)
        throw new Error(`${name} does not wait: ${JSON.stringify(stageStates)}`);
    },
    { timeout: 90_000, interval: 50 },
  );
  return id;
}

async function writeEvidence(s3: S3Client, workflow: string, id: string): Promise<void> {
  const prefix = `evidence/${workflow}/1.2.1`;
  const outputUri = `s3://${BUCKET}/test-outputs/${workflow}/1234567`;
  const tests = {
    workflow,
    version: "1.2.1",
    passed: true,
    tests: [
      {
        name: "phage <lambda>",
        passed: true,
        runId: "1234567",
        status: "COMPLETED",
        outputUri,
        seconds: 75,
        ranOn: "docker",
        judgements: [{ expected: "variants.vcf has 12 lines", passed: true }],
      },
    ],
  };
  const build = {
    format: 1,
    workflow,
    version: "1.2.1",
    commit: "4f1e".repeat(10),
    branch: "main",
    pipelineExecutionId: id,
    startedBy: `arn:aws:iam::${CICD}:user/developer`,
    author: "Ada Lovelace <ada@example.org>",
    engine: "WDL",
    main: "main.wdl",
    tags: {},
    cicd: {
      account: CICD,
      region: REGION,
      workflowId: "7654321",
      versionArn: `arn:aws:omics:${REGION}:${CICD}:workflow/7654321/version/1.2.1`,
    },
    images: [
      {
        image: "quay.io/biocontainers/bwa:0.7.18",
        source: "quay.io/biocontainers/bwa:0.7.18",
        target: `${CICD}.dkr.ecr.${REGION}.amazonaws.com/quay/biocontainers/bwa:0.7.18`,
        digest: `sha256:${"ab".repeat(32)}`,
      },
    ],
    files: [{ name: "definition.zip", sha256: "cd".repeat(32), bytes: 4096 }],
    lastVersion: "1.2.0",
    differences: {
      since: "1.2.0",
      parameters: [{ name: "reads", change: "changed", before: "optional", after: "required" }],
      images: [],
      files: ["definition.zip"],
      breaking: "callers of 1.2.0 would break: reads (now required); a new major version says so",
    },
    evidence: { bucket: BUCKET, prefix },
  };
  const put = (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  await put(`${prefix}/build.json`, JSON.stringify(build));
  await put(`${prefix}/tests.json`, JSON.stringify(tests));
  await put(
    `${prefix}/release.json`,
    JSON.stringify({
      ...build,
      promote: "share",
      results: [{ account: "444455556666", region: REGION, status: "ACTIVE", message: "version 1.2.1 is ACTIVE", workflowId: "9876543" }],
    }),
  );
  await put(`${prefix}/tests.html`, toHtml(tests));
  await put(`test-outputs/${workflow}/1234567/out/variants (all).vcf`, "##fileformat=VCFv4.2\n");
  await put(
    `test-outputs/${workflow}/1234567/out/report.html`,
    "<script>try{document.body.append(parent.document.title)}catch(error){document.documentElement.dataset.kept='out'}</script><p>made by the workflow</p>",
  );
  await put(`test-outputs/other/9/out/secret.txt`, "of another workflow");
}
