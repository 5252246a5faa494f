import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { synthesize } from "../infra/testing/templates.ts";
import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { DeployConfig, type Place } from "../release/project/deploy-config.ts";
import { workflowStack } from "../release/names.ts";
import { cliAt } from "./testing/in-process.ts";

// Two deployments in one account and region: the second is refused before it changes anything of the first.

const MS = 120_000;
const WAIT = { maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.1 };
const HERE = { account: CICD, region: REGION };
const PRODUCTION_STACK = `omx-production-${PRODUCTION}-${REGION}`;

interface Resource {
  readonly Type: string;
  readonly Properties: {
    readonly Name?: string;
    readonly Environment?: { readonly EnvironmentVariables?: readonly { readonly Name: string; readonly Value: unknown }[] };
  };
}
interface Template {
  readonly Parameters?: Readonly<Record<string, object>>;
  readonly Rules?: Readonly<Record<string, object>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
  readonly Resources: Readonly<Record<string, Resource>>;
}

let accounts: TestAccounts;
let folder: string;
let alpha: Deployment;
let both: Deployment;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "omx-one-deployment-"));
  accounts = await startAccounts();
  [alpha, both] = [deployment("alpha", ["alpha"]), deployment("both", ["alpha", "beta"])];
}, MS);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await accounts?.[Symbol.asyncDispose]();
}, MS);

/** What of a stack's template decides whether it may be deployed, with one resource that needs no assets in place of its own. */
function guards(file: string): string {
  const {
    Parameters: { BootstrapVersion: _version, ...Parameters } = {},
    Rules: { CheckBootstrapVersion: _check, ...Rules } = {},
    Outputs = {},
    Resources,
  } = JSON.parse(readFileSync(file, "utf8")) as Template;
  const promote = Object.values(Resources).find(
    ({ Type, Properties }) => Type === "AWS::CodeBuild::Project" && Properties.Name?.endsWith("-promote"),
  );
  const Value = promote?.Properties.Environment?.EnvironmentVariables?.find(({ Name }) => Name === "OMX_WORKFLOW")?.Value ?? "nothing";
  const plain = Object.fromEntries(Object.entries(Outputs).filter(([, output]) => typeof output.Value === "string"));
  return JSON.stringify({
    Parameters,
    Rules,
    Outputs: plain,
    Resources: { Marker: { Type: "AWS::SSM::Parameter", Properties: { Type: "String", Value } } },
  });
}

interface Deployment {
  readonly yaml: string;
  template(stack: string): string;
}

/** The stacks of a deployment that takes releases of these workflows to production. */
function deployment(name: string, workflows: readonly string[], cicd: Place = HERE): Deployment {
  const config = DeployConfig.parse({
    cicd,
    production: [{ account: PRODUCTION, region: REGION }],
    workflows: Object.fromEntries(workflows.map((one) => [one, {}])),
  });
  const files = synthesize(join(folder, name), config);
  const yaml = join(folder, `${name}.yaml`);
  writeFileSync(yaml, JSON.stringify({ cicd, production: config.production, workflows: config.workflows }));
  return { yaml, template: (stack: string) => guards(files.find((file) => file.endsWith(`/${stack}.template.json`))!) };
}

/** CloudFormation as cdk calls it: an update keeps the parameters that there were. */
function stacksOf(profile: "cicd" | "production") {
  const client = new CloudFormationClient(accounts.config(profile));
  const waiting = { client, ...WAIT };
  return {
    create: async (StackName: string, TemplateBody: string) => {
      await client.send(new CreateStackCommand({ StackName, TemplateBody }));
      await waitUntilStackCreateComplete(waiting, { StackName });
    },
    update: async (StackName: string, TemplateBody: string, kept: readonly string[] = []) => {
      await client.send(
        new UpdateStackCommand({
          StackName,
          TemplateBody,
          Parameters: kept.map((ParameterKey) => ({ ParameterKey, UsePreviousValue: true })),
        }),
      );
      await waitUntilStackUpdateComplete(waiting, { StackName }).catch(() => undefined);
      const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
      return StackEvents.map(({ ResourceStatus = "", ResourceStatusReason = "" }) => `${ResourceStatus}: ${ResourceStatusReason}`);
    },
    delete: async (StackName: string) => {
      await client.send(new DeleteStackCommand({ StackName }));
      await waitUntilStackDeleteComplete(waiting, { StackName });
    },
  };
}

test(
  "a second deployment in the cicd account is refused by omx deploy in a sentence, and by CloudFormation whoever asks it",
  async () => {
    using cli = cliAt(accounts);
    const second = deployment("second", ["beta"]);
    const cicd = stacksOf("cicd");
    await cicd.create("omx-cicd", alpha.template("omx-cicd"));
    await cicd.create(workflowStack("alpha"), alpha.template(workflowStack("alpha")));

    const refused = await cli.run("deploy", "--config", second.yaml, "--profile", "cicd");
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(
        /account 111122223333 releases alpha in us-east-1, which .*second\.yaml does not name: to deploy it would take omx's stacks over .*close production to it\n.*delete-stack --stack-name omx-workflow-alpha/,
      ),
    ]);
    expect(await cicd.update("omx-cicd", second.template("omx-cicd"))).toContainEqual(
      "UPDATE_ROLLBACK_IN_PROGRESS: Export omx-deploy-yaml-names-alpha cannot be deleted as it is in use by omx-workflow-alpha",
    );

    expect((await cicd.update("omx-cicd", both.template("omx-cicd")))[0]).toBe("UPDATE_COMPLETE: ");
    await cicd.delete(workflowStack("alpha"));
    expect((await cicd.update("omx-cicd", second.template("omx-cicd")))[0]).toBe("UPDATE_COMPLETE: ");
  },
  MS,
);

test(
  "production stays with the cicd account that it has; more workflows from there are welcome",
  async () => {
    const other = deployment("other", ["gamma"], { account: "777788889999", region: REGION });
    const production = stacksOf("production");
    await production.create(PRODUCTION_STACK, alpha.template(PRODUCTION_STACK));
    await expect(production.update(PRODUCTION_STACK, other.template(PRODUCTION_STACK), ["Cicd"])).rejects.toThrow(
      /Releases come to account 444455556666 in us-east-1 from another cicd account, .*omx for 777788889999\/us-east-1 would close it to that one\. .*--parameters omx-production-444455556666-us-east-1:Cicd=777788889999\/us-east-1/,
    );
    await expect(production.update(PRODUCTION_STACK, both.template(PRODUCTION_STACK), ["Cicd"])).rejects.toThrow(
      "No updates are to be performed",
    );
  },
  MS,
);
