import type {
  CreateRunGroupRequest,
  CreateRunGroupResponse,
  DeleteRunGroupRequest,
  GetRunGroupRequest,
  GetRunGroupResponse,
  ListRunGroupsRequest,
  RunGroupListItem,
  UpdateRunGroupRequest,
} from "../../model/generated/types.ts";
import type { Access, AnyOperation, Call } from "../gateway/service.ts";
import { anyArn, runGroupArn, type Place } from "./arns.ts";
import { declare } from "./declare.ts";
import { conflict, quotaExceeded, runGroupNotFound } from "./errors.ts";
import { once } from "./idempotency.ts";
import { nextId } from "./ids.ts";
import type { Omics } from "./omics.ts";
import { pageOf } from "./page.ts";
import type { RunGroup } from "./store.ts";
import { checkTags, tagContext } from "./tag-rules.ts";

const onGroup = (action: string, call: Call, id: string): readonly Access[] => [
  { action: `omics:${action}`, resource: runGroupArn(call, id) },
];

/** Run groups: limits that several runs share. */
export function groupOperations(omics: Omics): Readonly<Record<string, AnyOperation>> {
  const { random } = omics.core;
  const { store } = omics;
  return {
    CreateRunGroup: declare<CreateRunGroupRequest, unknown>("CreateRunGroup", random, {
      access: ({ tags }) => [{ action: "omics:CreateRunGroup", resource: anyArn, context: tagContext(tags) }],
      run: (input, call) => createGroup(omics, input, call),
    }),
    GetRunGroup: declare<GetRunGroupRequest, unknown>("GetRunGroup", random, {
      access: ({ id }, call) => onGroup("GetRunGroup", call, id),
      run: ({ id }, call) => describeGroup(findGroup(omics, call, id)),
    }),
    ListRunGroups: declare<ListRunGroupsRequest, unknown>("ListRunGroups", random, {
      access: () => [{ action: "omics:ListRunGroups", resource: anyArn }],
      run({ name, startingToken, maxResults }, { account, region }) {
        const matches = (group: RunGroup) => name == null || group.name === name;
        const prefix = [account, region];
        const { items, nextToken } = pageOf({
          of: "ListRunGroups",
          prefix,
          filters: { name },
          startingToken,
          maxResults,
          matches,
          read: (page) => store.runGroups.list(prefix, page),
        });
        return { items: items.map(groupItem), nextToken };
      },
    }),
    UpdateRunGroup: declare<UpdateRunGroupRequest, unknown>("UpdateRunGroup", random, {
      access: ({ id }, call) => onGroup("UpdateRunGroup", call, id),
      run: (input, call) => updateGroup(omics, input, call),
    }),
    DeleteRunGroup: declare<DeleteRunGroupRequest, unknown>("DeleteRunGroup", random, {
      access: ({ id }, call) => onGroup("DeleteRunGroup", call, id),
      run: ({ id }, call) => deleteGroup(omics, call, id),
    }),
  };
}

const LIMITS = ["name", "maxCpus", "maxRuns", "maxDuration", "maxGpus"] as const;

const limitsOf = (input: Partial<Record<(typeof LIMITS)[number], unknown>>): Partial<RunGroup> =>
  Object.fromEntries(LIMITS.flatMap((limit) => (input[limit] == null ? [] : [[limit, input[limit]]])));

function createGroup({ store, core, quotas }: Omics, input: CreateRunGroupRequest, call: Call): CreateRunGroupResponse {
  checkTags(input.tags ?? {}, quotas);
  const { account, region } = call;
  return once(store, { operation: "CreateRunGroup", requestId: input.requestId, input, call }, () => {
    if (store.runGroups.count([account, region]) >= quotas.runGroups)
      throw quotaExceeded(`The account has ${quotas.runGroups} run groups, the most it can have`);
    const id = nextId({ store, core }, "runGroup", call);
    const arn = runGroupArn(call, id);
    const tags = input.tags ?? {};
    store.runGroups.put([account, region, id], {
      place: { account, region },
      id,
      arn,
      creationTime: core.clock.now().toISOString(),
      tags,
      ...limitsOf(input),
    });
    return { arn, id, tags };
  }).response;
}

/** @throws AwsError ResourceNotFoundException */
function findGroup({ store }: Omics, { account, region }: Place, id: string): RunGroup {
  const group = store.runGroups.get([account, region, id]);
  if (group === undefined) throw runGroupNotFound(id);
  return group;
}

const groupItem = ({ arn, id, name, maxCpus, maxRuns, maxDuration, maxGpus, creationTime }: RunGroup): RunGroupListItem => ({
  arn,
  id,
  name,
  maxCpus,
  maxRuns,
  maxDuration,
  maxGpus,
  creationTime,
});

const describeGroup = (group: RunGroup): GetRunGroupResponse => ({ ...groupItem(group), tags: group.tags });

/** A limit can be changed and not taken away: the model has no word for that. */
function updateGroup(omics: Omics, input: UpdateRunGroupRequest, call: Call): void {
  omics.store.runGroups.put([call.account, call.region, input.id], { ...findGroup(omics, call, input.id), ...limitsOf(input) });
  omics.schedule();
}

/** @throws AwsError ConflictException while runs of the group are active */
function deleteGroup(omics: Omics, call: Call, id: string): void {
  findGroup(omics, call, id);
  const active = omics.store.runs.items.find("active", "yes");
  if (active.some(({ key: [account, region], value }) => account === call.account && region === call.region && value.runGroupId === id))
    throw conflict(`Run group ${id} has active runs; cancel them or wait for their end`);
  omics.store.runGroups.delete([call.account, call.region, id]);
}
