import type { OperationName } from "../../src/model/validate.ts";
import type { GeneratedRequest } from "../../src/local/omics/testing/generated-requests.ts";

/** What generated requests can name that is there. */
export interface Existing {
  readonly workflowId: string;
  readonly versionName: string;
  readonly runId: string;
  readonly taskId: string;
  readonly groupId: string;
  readonly roleArn: string;
  readonly outputUri: string;
  readonly definitionZip: string;
  /** Made by requests before, and nobody's since: to be cancelled or deleted. */
  readonly spare: { readonly workflows: string[]; readonly groups: string[]; readonly runs: string[] };
}

const arnOf = (resource: string): string => `arn:aws:omics:us-east-1:111122223333:${resource}`;

const without = (input: GeneratedRequest, ...members: readonly string[]): GeneratedRequest =>
  Object.fromEntries(Object.entries(input).filter(([name]) => !members.includes(name)));

/** The request with names of what is there, and without members that can't stand together: one that ought to be accepted. */
export function onExisting(operation: OperationName, input: GeneratedRequest, there: Existing): GeneratedRequest {
  const own = without(input, "workflowOwnerId", "type", "startingToken");
  switch (operation) {
    case "CreateWorkflow":
    case "CreateWorkflowVersion":
      return { ...definitionOf(own, there), ...(operation === "CreateWorkflowVersion" && { workflowId: there.workflowId }) };
    case "StartRun":
      return runOf(own, there);
    case "CancelRun":
      return { id: there.spare.runs.pop() ?? there.runId };
    case "DeleteRun":
      return { id: there.runId };
    case "DeleteWorkflow":
      return { id: there.spare.workflows.pop() ?? there.workflowId };
    case "DeleteRunGroup":
      return { id: there.spare.groups.pop() ?? there.groupId };
    case "TagResource":
      return { resourceArn: arnOf(`workflow/${there.workflowId}`), tags: { team: "bench" } };
    case "UntagResource":
      return { ...own, resourceArn: arnOf(`run/${there.runId}`) };
    case "ListTagsForResource":
      return { resourceArn: arnOf(`runGroup/${there.groupId}`) };
    case "DeleteWorkflowVersion":
      return { workflowId: there.workflowId, versionName: there.versionName };
    default:
      return { ...own, ...namesOf(operation, own, there) };
  }
}

function namesOf(operation: OperationName, input: GeneratedRequest, there: Existing): GeneratedRequest {
  const id = operation.includes("RunGroup") ? there.groupId : operation.includes("Workflow") ? there.workflowId : there.runId;
  const known: Readonly<Record<string, string>> = {
    id,
    workflowId: there.workflowId,
    versionName: there.versionName,
    taskId: there.taskId,
    runGroupId: there.groupId,
  };
  return Object.fromEntries(Object.keys(input).flatMap((name) => (known[name] === undefined ? [] : [[name, known[name]]])));
}

function definitionOf(input: GeneratedRequest, { definitionZip }: Existing): GeneratedRequest {
  const tags = input["tags"] === undefined ? {} : { tags: { team: "bench" } };
  return {
    ...without(
      input,
      "definitionUri",
      "definitionRepository",
      "workflowBucketOwnerId",
      "containerRegistryMapUri",
      "readmeUri",
      "readmePath",
      "parameterTemplatePath",
    ),
    definitionZip,
    ...tags,
  };
}

function runOf(input: GeneratedRequest, { workflowId, groupId, roleArn, outputUri }: Existing): GeneratedRequest {
  const alone = without(
    input,
    "runId",
    "workflowVersionName",
    "workflowType",
    "cacheId",
    "cacheBehavior",
    "configurationName",
    "networkingMode",
    "sessionPolicy",
    "engineSettings",
    "storageCapacity",
    "outputBucketOwnerId",
  );
  return { ...alone, workflowId, roleArn, outputUri, runGroupId: groupId, parameters: {}, tags: { team: "bench" } };
}
