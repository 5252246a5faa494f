import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateWorkflowCommand, CreateWorkflowVersionCommand, GetWorkflowCommand, GetWorkflowVersionCommand } from "@aws-sdk/client-omics";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { awsClients } from "../../aws/clients.ts";
import { readObject, writeObject } from "../../aws/objects.ts";
import { systemClock } from "../../kit/clock.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { artifactsBucket } from "../names.ts";
import { readProject } from "../project/project.ts";
import { packageDefinition } from "../publish/package.ts";
import type { Expectations } from "./judge.ts";
import { prepareTests } from "./prepare.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const BUCKET = artifactsBucket(CICD, REGION);

let accounts: TestAccounts;
let folder: string;
beforeAll(async () => {
  accounts = await startAccounts();
  folder = mkdtempSync(join(tmpdir(), "omx-prepare-"));
  writeFileSync(join(folder, "main.wdl"), "version 1.1\nworkflow compared {}\n");
  writeFileSync(
    join(folder, "omx.yaml"),
    'name: compared\nversion: "1.0"\ntests:\n  - { name: small, expect: [{ output: x, sameAsLastRelease: true }] }\n',
  );
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await accounts[Symbol.asyncDispose]();
});

test("sameAsLastRelease is of the last version that reached production; of the last that passed, before there is one", async () => {
  const clients = awsClients(accounts.config());
  const { omics, s3 } = clients;
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const project = readProject(folder);
  const definition = { definitionZip: packageDefinition(project).zip, engine: "WDL" as const };
  const once = (name: string) => ({ ...definition, requestId: `${name}-${accounts.url}` });
  const { id: workflowId = "" } = await omics.send(new CreateWorkflowCommand({ name: "compared", ...once("workflow") }));
  const active = (read: () => Promise<{ readonly status?: string | undefined }>) =>
    vi.waitFor(async () => expect((await read()).status).toBe("ACTIVE"), { timeout: 60_000 });
  await active(() => omics.send(new GetWorkflowCommand({ id: workflowId })));
  for (const versionName of ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]) {
    await omics.send(new CreateWorkflowVersionCommand({ workflowId, versionName, ...once(versionName) }));
    await active(() => omics.send(new GetWorkflowVersionCommand({ workflowId, versionName })));
  }

  const wrote = (version: string, file: string, content: object) =>
    writeObject(s3, { bucket: BUCKET, key: `evidence/compared/${version}/${file}` }, JSON.stringify(content), "application/json");
  for (const version of ["1.0.0", "1.0.1", "1.0.3"]) await wrote(version, "tests.json", { version, passed: true, tests: [] });
  const comparedWith = async (versionName: string): Promise<unknown> => {
    const identity = { workflow: "compared", commit: "c", branch: "main", pipelineExecutionId: "p", startedBy: "a push" };
    const env = { clients, cicd: { account: CICD, region: REGION }, clock: systemClock, emit: () => undefined };
    await prepareTests(env, identity, { project, version: { workflowId, versionName, arn: "a" } });
    const written = await readObject(s3, { bucket: BUCKET, key: `evidence/compared/${versionName}/expectations.json` });
    return (JSON.parse(written.toString("utf8")) as Expectations).lastReport;
  };
  expect(await comparedWith("1.0.2")).toMatchObject({ version: "1.0.1" });
  // 1.0.1 passed its tests, and whoever looked at its outputs let them not through.
  await wrote("1.0.0", "release.json", { version: "1.0.0", results: [{ status: "ACTIVE" }] });
  expect(await comparedWith("1.0.2")).toMatchObject({ version: "1.0.0" });
  expect(await comparedWith("1.0.0")).toBeUndefined();
});
