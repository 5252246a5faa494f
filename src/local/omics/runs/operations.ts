import type {
  CancelRunRequest,
  DeleteRunRequest,
  GetRunRequest,
  GetRunTaskRequest,
  ListRunsRequest,
  ListRunsResponse,
  ListRunTasksRequest,
  StartRunRequest,
} from "../../../model/generated/types.ts";
import type { Access, AnyOperation, Call } from "../../gateway/service.ts";
import type { Key, Page } from "../../storage/database.ts";
import { anyArn, resourceArn, runArn, runGroupArn, taskArn, workflowArn } from "../arns.ts";
import { declare } from "../declare.ts";
import type { ListName } from "../lists.ts";
import type { Omics } from "../omics.ts";
import { pageOf } from "../page.ts";
import type { RunItem, Task } from "../store.ts";
import { tagContext } from "../tag-rules.ts";
import { exportUrl } from "../workflows/export-links.ts";
import { describeRun, describeTask, taskItem } from "./describe.ts";
import { findRun, findTask } from "./find.ts";
import { OMICS } from "./role.ts";
import { startRun } from "./start.ts";
import { cancelRun, deleteRun } from "./stop.ts";

/**
 * What StartRun is asked on: the run, the workflow, its group, cache and configuration, and the role it passes.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_omics.html
 */
function startAccess(
  { workflowId, runGroupId, cacheId, configurationName, roleArn, tags }: StartRunRequest,
  call: Call,
): readonly Access[] {
  const resources = [
    runArn(call, "*"),
    ...(workflowId == null ? [] : [workflowArn(call, workflowId)]),
    ...(runGroupId == null ? [] : [runGroupArn(call, runGroupId)]),
    ...(cacheId == null ? [] : [resourceArn(call, `runCache/${cacheId}`)]),
    ...(configurationName == null ? [] : [resourceArn(call, `configuration/${configurationName}`)]),
  ];
  const isTagged = tags != null && Object.keys(tags).length > 0;
  return [
    ...resources.map((resource) => ({ action: "omics:StartRun", resource, context: tagContext(tags) })),
    ...(isTagged ? [{ action: "omics:TagResource", resource: runArn(call, "*"), context: tagContext(tags) }] : []),
    { action: "iam:PassRole", resource: roleArn, context: { "iam:PassedToService": OMICS } },
  ];
}

const onRun = (action: string, call: Call, id: string): readonly Access[] => [{ action: `omics:${action}`, resource: runArn(call, id) }];

/** Runs: start, read, list, cancel, delete. */
export function runOperations(omics: Omics): Readonly<Record<string, AnyOperation>> {
  const { random } = omics.core;
  return {
    StartRun: declare<StartRunRequest, unknown>("StartRun", random, {
      access: startAccess,
      run: (input, call) => startRun(omics, input, call),
    }),
    GetRun: declare<GetRunRequest, unknown>("GetRun", random, {
      access: ({ id }, call) => onRun("GetRun", call, id),
      run(input, call) {
        const run = findRun(omics, call, input.id);
        const isWanted = input.export?.includes("DEFINITION") ?? false;
        return describeRun(run, isWanted ? { definition: `${call.endpoint}${exportUrl(omics, run.arn, "definition")}` } : {});
      },
    }),
    ListRuns: declare<ListRunsRequest, unknown>("ListRuns", random, {
      access: () => [{ action: "omics:ListRuns", resource: anyArn }],
      run: (input, { account, region }) => listRuns(omics, [account, region], input),
    }),
    CancelRun: declare<CancelRunRequest, unknown>("CancelRun", random, {
      access: ({ id }, call) => onRun("CancelRun", call, id),
      run: ({ id }, call) => cancelRun(omics, call, id),
    }),
    DeleteRun: declare<DeleteRunRequest, unknown>("DeleteRun", random, {
      access: ({ id }, call) => onRun("DeleteRun", call, id),
      run: ({ id }, call) => deleteRun(omics, call, id),
    }),
  };
}

/** Tasks of runs: read and list. */
export function taskOperations(omics: Omics): Readonly<Record<string, AnyOperation>> {
  const { store } = omics;
  const { random } = omics.core;
  return {
    ListRunTasks: declare<ListRunTasksRequest, unknown>("ListRunTasks", random, {
      access: ({ id }, call) => onRun("ListRunTasks", call, id),
      run({ id, status, startingToken, maxResults }, call) {
        findRun(omics, call, id);
        const matches = (task: Task) => status == null || task.status === status;
        const prefix = [call.account, call.region, id];
        const { items, nextToken } = pageOf({
          of: "ListRunTasks",
          prefix,
          filters: { status },
          startingToken,
          maxResults,
          matches,
          read: (page) => store.tasks.list(prefix, page),
        });
        return { items: items.map(taskItem), nextToken };
      },
    }),
    GetRunTask: declare<GetRunTaskRequest, unknown>("GetRunTask", random, {
      access: ({ id, taskId }, call) => [...onRun("GetRunTask", call, id), { action: "omics:GetRunTask", resource: taskArn(call, taskId) }],
      run: (input, call) => describeTask(findRun(omics, call, input.id), findTask(omics, call, input)),
    }),
  };
}

function listRuns({ store }: Omics, scope: Key, input: ListRunsRequest): ListRunsResponse {
  const { name, status, runGroupId, batchId, startingToken, maxResults } = input;
  const list = listOf(input);
  const read = (page: Page) => {
    // The local accounts start no batches: no run belongs to one.
    if (batchId != null) return [];
    return list === undefined ? store.runs.items.list(scope, page) : store.runs.listBy({ scope, ...list }, page);
  };
  const filters = { name, status, runGroupId, batchId };
  const { items, nextToken } = pageOf({
    of: "ListRuns",
    prefix: scope,
    filters,
    startingToken,
    maxResults,
    read,
    matches: (item) => isWanted(item, input),
  });
  return { items: items.map(({ shown }) => shown), nextToken };
}

/** The list that says most: a name is rarer than a group, a group than a status. */
function listOf({ name, runGroupId, status }: ListRunsRequest): Pick<ListName, "name" | "value"> | undefined {
  if (name != null) return { name: "name", value: name };
  if (runGroupId != null) return { name: "group", value: runGroupId };
  return status == null ? undefined : { name: "status", value: status };
}

const isWanted = ({ shown, runGroupId }: RunItem, wanted: ListRunsRequest): boolean =>
  (wanted.name == null || shown.name === wanted.name) &&
  (wanted.status == null || shown.status === wanted.status) &&
  (wanted.runGroupId == null || runGroupId === wanted.runGroupId);
