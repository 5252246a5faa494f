import { CfnOutput, CfnParameter, CfnRule, Fn, type Stack } from "aws-cdk-lib";
import { deployedWorkflow } from "../../release/names.ts";
import type { Place } from "../../release/project/deploy-config.ts";

// Two deployments in one account and region have stacks of the same names: without these the second would update those of
// the first, and close production to its workflows, without a word (docs/decisions/0022-one-deployment-for-a-place.md).

/** Exports the workflows that a deployment names: CloudFormation takes no export away that a stack imports. */
export function exportWorkflows(stack: Stack, workflows: readonly string[]): void {
  for (const workflow of workflows)
    new CfnOutput(stack, `Workflow-${workflow}`, {
      value: workflow,
      exportName: deployedWorkflow(workflow),
      description: "While its stack stands, no deployment that does not name this workflow takes this stack over",
    });
}

/** The name of a workflow, by the export of the cicd account's stack. */
export const importedWorkflow = (workflow: string): string => Fn.importValue(deployedWorkflow(workflow));

/**
 * Lets a production stack remember by a parameter from where releases come: cdk gives an update the value that was there,
 * and the rule is the update's own.
 */
export function comeFrom(stack: Stack, { cicd: { account, region }, place }: { readonly cicd: Place; readonly place: Place }): void {
  const cicd = `${account}/${region}`;
  const parameter = new CfnParameter(stack, "Cicd", { default: cicd, description: "The account and region from which releases come" });
  new CfnRule(stack, "OneDeployment", {
    assertions: [
      {
        assert: Fn.conditionEquals(parameter.valueAsString, cicd),
        assertDescription: `Releases come to account ${place.account} in ${place.region} from another cicd account, which the parameter Cicd of the stack ${stack.stackName} names; omx for ${cicd} would close it to that one. Name another account or region for production in omx.deploy.yaml, or hand it over: cdk deploy --all --parameters ${stack.stackName}:Cicd=${cicd}`,
      },
    ],
  });
}
