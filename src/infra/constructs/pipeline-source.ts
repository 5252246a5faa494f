import type { IRepository } from "aws-cdk-lib/aws-codecommit";
import type { Artifact, IAction } from "aws-cdk-lib/aws-codepipeline";
import { CodeCommitSourceAction, CodeCommitTrigger, CodeStarConnectionsSourceAction } from "aws-cdk-lib/aws-codepipeline-actions";
import { ArnPrincipal, type IRole, Role } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { DeployConfig } from "../../release/project/deploy-config.ts";
import { statement } from "../policies.ts";

export interface PipelineSourceProps {
  readonly workflow: DeployConfig["workflows"][string];
  /** In CodeCommit. @default - it is behind a connection */
  readonly repository: IRepository | undefined;
  readonly output: Artifact;
  readonly pipelineRole: IRole;
}

/** Where a pipeline starts: a push to the workflow's branch, in CodeCommit or behind a connection. */
export interface PipelineSource {
  readonly action: IAction;
  /** What other actions know of the push. */
  variable(name: "CommitId" | "BranchName"): string;
}

const NAMESPACE = "Source";

/** Makes the source action of a workflow's pipeline, with a role of its own for a connection. */
export function pipelineSource(scope: Construct, { workflow, repository, output, pipelineRole }: PipelineSourceProps): PipelineSource {
  const { branch, connectionArn = "", repository: name = "" } = workflow;
  const named = { actionName: "Source", branch, output, variablesNamespace: NAMESPACE };
  const variable = (one: "CommitId" | "BranchName"): string => `#{${NAMESPACE}.${one}}`;
  if (repository) return { action: new CodeCommitSourceAction({ ...named, repository, trigger: CodeCommitTrigger.EVENTS }), variable };
  // A connection made since July 2024 is codeconnections', and the action that IAM asks for has the ARN's own prefix; the CDK
  // grants that of the old name alone (dtconsole/latest/userguide/rename.html).
  const role = new Role(scope, "SourceRole", {
    assumedBy: new ArnPrincipal(pipelineRole.roleArn),
    description: "Reads the repository behind a connection",
  });
  role.addToPolicy(statement("Connection", [`${connectionArn.split(":")[2]}:UseConnection`], [connectionArn]));
  // GitLab's groups have groups: what follows the first slash is the repository.
  const [owner = "", ...repo] = name.split("/");
  return { action: new CodeStarConnectionsSourceAction({ ...named, role, connectionArn, owner, repo: repo.join("/") }), variable };
}
