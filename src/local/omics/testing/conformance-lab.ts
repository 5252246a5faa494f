import { StartRunCommand, type StartRunCommandInput, type StartRunCommandOutput } from "@aws-sdk/client-omics";
import { expect } from "vitest";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { furnish, type OmicsLab, zipOf } from "./omics.ts";
import { type RawAnswer, sendRaw } from "./raw.ts";

export const HELLO = `version 1.1
workflow Hello { input { String name = "you" } call greet { input: name = name } output { String said = greet.said } }
task greet { input { String name } command <<< echo "hello ~{name}" >>> output { String said = read_string(stdout()) } }`;
export const definitionZip = zipOf({ "main.wdl": HELLO });

/** An Omics lab with a workflow, for what a client can see of the API. */
export interface ConformanceLab {
  readonly accounts: TestAccounts;
  readonly lab: OmicsLab;
  readonly workflowId: string;
  /** Sends what no SDK would. */
  raw(method: string, path: string, body?: object): Promise<RawAnswer>;
  /** A request for a run of the workflow. */
  run(more?: Partial<StartRunCommandInput>): StartRunCommandInput;
  start(more?: Partial<StartRunCommandInput>): Promise<StartRunCommandOutput>;
}

export async function openConformanceLab(): Promise<ConformanceLab> {
  const accounts = await startAccounts();
  const lab = await furnish(accounts);
  const workflowId = await lab.workflow({ "main.wdl": HELLO });
  const run: ConformanceLab["run"] = (more = {}) => ({
    workflowId,
    roleArn: lab.roleArn,
    outputUri: `s3://${lab.bucket}/runs`,
    ...more,
  });
  return {
    accounts,
    lab,
    workflowId,
    raw: (method, path, body) => sendRaw(accounts, { method, path, body: body && JSON.stringify(body) }),
    run,
    start: (more = {}) => lab.omics.send(new StartRunCommand(run(more))),
  };
}

/** An error of this name whose message fits. */
export const refused = (name: string, message: RegExp) => ({ name, message: expect.stringMatching(message) as string });
