import { type CloudFormationClient, paginateListExports, paginateListImports } from "@aws-sdk/client-cloudformation";
import { cloudformation } from "../../aws/services/cloudformation.ts";
import { readDeployConfig } from "../../infra/read-config.ts";
import { deployedWorkflow, workflowStack } from "../../release/names.ts";
import { type Cli, Problem } from "../cli.ts";
import { openSession } from "./session.ts";

/**
 * Looks whether the cicd account has workflows that omx.deploy.yaml does not name, before anything is made or changed:
 * CloudFormation would refuse that as well, in words of its own.
 * @throws Problem naming them
 */
export async function refuseOtherDeployment(
  cli: Cli,
  { config, profile }: { readonly config: string; readonly profile?: string },
): Promise<void> {
  const { cicd, workflows } = readDeployConfig(config);
  const session = await openSession(cli, { region: cicd.region, ...(profile && { profile }) }, { cloudformation });
  if (session.place.account !== cicd.account) return;
  const others = (await deployedIn(session.clients.cloudformation)).filter((workflow) => !Object.hasOwn(workflows, workflow));
  if (others.length === 0) return;
  const [isOne, names] = [others.length === 1, others.join(", ")];
  throw new Problem(
    `account ${cicd.account} releases ${names} in ${cicd.region}, which ${config} does not name: to deploy it would take omx's stacks over from ${isOne ? "that workflow" : "those workflows"} and close production to ${isOne ? "it" : "them"}`,
    `where this is ${isOne ? "its" : "their"} deployment, name ${isOne ? "it" : "them"} there as well; where another is, choose another account or region for cicd; where ${isOne ? "it is" : "they are"} to go, delete ${isOne ? "its stack" : "their stacks"} first: ${others.map((workflow) => `aws cloudformation delete-stack --stack-name ${workflowStack(workflow)}`).join("; ")}`,
  );
}

/** The workflows whose stacks stand. Who may not list exports is left to CloudFormation's own refusal. */
async function deployedIn(client: CloudFormationClient): Promise<readonly string[]> {
  const prefix = deployedWorkflow("");
  const found: string[] = [];
  try {
    for await (const { Exports = [] } of paginateListExports({ client }, {}))
      for (const { Name = "" } of Exports)
        if (Name.startsWith(prefix) && (await isImported(client, Name))) found.push(Name.slice(prefix.length));
  } catch (error) {
    if (!/AccessDenied/.test((error as Error).name)) throw error;
  }
  return found;
}

async function isImported(client: CloudFormationClient, ExportName: string): Promise<boolean> {
  try {
    for await (const { Imports = [] } of paginateListImports({ client }, { ExportName })) if (Imports.length > 0) return true;
    return false;
  } catch (error) {
    // CloudFormation has no other answer for an export that nobody imports.
    if ((error as Error).name === "ValidationError") return false;
    throw error;
  }
}
