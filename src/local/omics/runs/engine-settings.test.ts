import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNextflow } from "../../engines/testing/nextflow.ts";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { furnish, type OmicsLab } from "../testing/omics.ts";
import { requestOf, sendRaw } from "../testing/raw.ts";

const PIPELINE = {
  "main.nf": "params.size = 'none'\nworkflow { if (params.size != 'small') error 'the profile had no effect' }",
  "nextflow.config": "profiles { small { params.size = 'small' } }",
};

// The JS SDK of the day does not know the member: the requests are sent as they are.
describe("engineSettings", { timeout: 180_000 }, () => {
  let accounts: TestAccounts;
  let lab: OmicsLab;
  let workflowId: string;
  beforeAll(async () => {
    accounts = await startAccounts();
    lab = await furnish(accounts);
    workflowId = await lab.workflow(PIPELINE);
  }, 120_000);
  afterAll(() => accounts[Symbol.asyncDispose]());

  const start = (engineSettings: object) =>
    sendRaw(
      accounts,
      requestOf("StartRun", {
        workflowId,
        roleArn: lab.roleArn,
        outputUri: `s3://${lab.bucket}/runs`,
        requestId: JSON.stringify(engineSettings),
        engineSettings,
      }),
    );

  test.each([
    [{ version: "24.10" }, /no 'version'/],
    [{ engineVersion: 24.1 }, /engineVersion must be a string/],
    [{ syntaxVersion: "v3" }, /syntaxVersion is 'v3'; it is one of v1, v2/],
    [{ agentMode: "yes" }, /agentMode is 'yes'; it is one of true, false/],
    [{ outputFormat: "xml" }, /one of json, text, none/],
    [{ profile: "small,large" }, /no profile 'large'; it has small/],
  ])("%j is refused", async (engineSettings, message) => {
    expect(await start(engineSettings)).toMatchObject({
      status: 400,
      type: "ValidationException",
      body: expect.stringMatching(message) as string,
    });
  });

  test.skipIf(!hasNextflow())("a profile takes effect, and GetRun tells of the settings", async () => {
    const { id } = JSON.parse((await start({ profile: "small", engineVersion: "24.10" })).body) as { readonly id: string };
    expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
    const { body } = await sendRaw(accounts, requestOf("GetRun", { id }));
    expect(JSON.parse(body)).toMatchObject({ engineVersion: "24.10.8", engineSettings: { profile: "small", engineVersion: "24.10" } });
  });
});
