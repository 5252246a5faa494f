import type {
  CreatePipelineInput,
  CreatePipelineOutput,
  DeletePipelineInput,
  DisableStageTransitionInput,
  EnableStageTransitionInput,
  GetPipelineInput,
  GetPipelineOutput,
  ListPipelinesInput,
  ListPipelinesOutput,
  ListTagsForResourceInput,
  ListTagsForResourceOutput,
  PipelineDeclaration,
  TagResourceInput,
  UntagResourceInput,
  UpdatePipelineInput,
  UpdatePipelineOutput,
} from "@aws-sdk/client-codepipeline";
import { principalArn } from "../authorization/principal.ts";
import { type Call, operation } from "../gateway/service.ts";
import { pipelineNameInUse, stageNotFound } from "./errors.ts";
import { isComplete } from "./pipeline-variables.ts";
import { advance, findPipeline, on, type Parts } from "./service-parts.ts";
import { startExecution } from "./start.ts";
import { checked } from "./structure.ts";
import { type PipelineRecord, pipelineArn, type Store } from "./store.ts";

const passRole = (pipeline: PipelineDeclaration | undefined) =>
  [pipeline?.roleArn, ...(pipeline?.stages ?? []).flatMap((stage) => (stage.actions ?? []).map((action) => action.roleArn))]
    .filter((role) => role !== undefined)
    .map((role) => ({ action: "iam:PassRole", resource: role, context: { "iam:PassedToService": "codepipeline.amazonaws.com" } }));

/** Pipelines themselves, their tags and transitions. */
export function pipelineOperations(parts: Parts) {
  return {
    ...writingOperations(parts),
    ...readingOperations(parts.store),
    ...transitionOperations(parts),
    ...tagOperations(parts.store),
  };
}

function writingOperations(parts: Parts) {
  return {
    CreatePipeline: operation<CreatePipelineInput, CreatePipelineOutput>({
      access: (input, call) => [...on("CreatePipeline", call, input.pipeline?.name), ...passRole(input.pipeline)],
      run: (input, call) => create(parts, input, call),
    }),
    UpdatePipeline: operation<UpdatePipelineInput, UpdatePipelineOutput>({
      access: (input, call) => [...on("UpdatePipeline", call, input.pipeline?.name), ...passRole(input.pipeline)],
      run: (input, call) => update(parts, input, call),
    }),
    DeletePipeline: operation<DeletePipelineInput, object>({
      access: (input, call) => on("DeletePipeline", call, input.name),
      run: (input, call) => remove(parts.store, input, call),
    }),
  };
}

function create({ core, store, engine }: Parts, input: CreatePipelineInput, call: Call): CreatePipelineOutput {
  const { account, region } = call;
  const declaration = { ...checked(input.pipeline), version: 1 };
  const now = core.clock.now().toISOString();
  const tags = (input.tags ?? []).map(({ key = "", value = "" }) => ({ key, value }));
  const record: PipelineRecord = { account, region, declaration, created: now, updated: now, tags, disabled: {} };
  if (!store.pipelines.insert([account, region, declaration.name], record)) throw pipelineNameInUse(declaration.name);
  // Creating a pipeline starts a first execution (codepipeline/latest/userguide/pipelines-create.html), unless it can't know a variable.
  if (isComplete(declaration))
    startExecution(core, store, { record, trigger: { triggerType: "CreatePipeline", triggerDetail: principalArn(call.caller) } });
  advance(engine, call, declaration.name);
  return { pipeline: declaration, tags };
}

function update({ core, store }: Parts, input: UpdatePipelineInput, call: Call): UpdatePipelineOutput {
  const before = findPipeline(store, call, input.pipeline?.name);
  const declaration = { ...checked(input.pipeline), version: before.declaration.version + 1 };
  save(store, { ...before, declaration, updated: core.clock.now().toISOString() });
  return { pipeline: declaration };
}

/** Its executions stop where they are. */
function remove(store: Store, { name }: DeletePipelineInput, { account, region }: Call): object {
  store.transaction(() => {
    for (const { key, value } of store.executions.find("active", `${account}/${region}/${name}`))
      store.executions.put(key, { ...value, status: "Stopped", inStage: false, statusSummary: "the pipeline was deleted" });
    store.pipelines.delete([account, region, name ?? ""]);
  });
  return {};
}

function readingOperations(store: Store) {
  return {
    GetPipeline: operation<GetPipelineInput, GetPipelineOutput>({
      access: (input, call) => on("GetPipeline", call, input.name),
      run(input, call) {
        const { declaration, created, updated } = findPipeline(store, call, input.name);
        return {
          pipeline: declaration,
          metadata: { pipelineArn: pipelineArn(call, declaration.name), created: new Date(created), updated: new Date(updated) },
        };
      },
    }),
    ListPipelines: operation<ListPipelinesInput, ListPipelinesOutput>({
      access: () => [{ action: "codepipeline:ListPipelines", resource: "*" }],
      run: (_input, call) => ({
        pipelines: store.pipelines.list([call.account, call.region]).map(({ value: { declaration, created, updated } }) => ({
          name: declaration.name,
          version: declaration.version,
          created: new Date(created),
          updated: new Date(updated),
          ...(declaration.pipelineType && { pipelineType: declaration.pipelineType }),
          ...(declaration.executionMode && { executionMode: declaration.executionMode }),
        })),
      }),
    }),
  };
}

function transitionOperations({ core, store, engine }: Parts) {
  return {
    DisableStageTransition: operation<DisableStageTransitionInput, object>({
      access: (input, call) => on("DisableStageTransition", call, input.pipelineName, input.stageName),
      run(input, call) {
        const record = findPipeline(store, call, input.pipelineName);
        const stage = stageOf(record, input.stageName);
        save(store, {
          ...record,
          disabled: {
            ...record.disabled,
            [stage]: { reason: input.reason ?? "", by: principalArn(call.caller), at: core.clock.now().toISOString() },
          },
        });
        return {};
      },
    }),
    EnableStageTransition: operation<EnableStageTransitionInput, object>({
      access: (input, call) => on("EnableStageTransition", call, input.pipelineName, input.stageName),
      run(input, call) {
        const record = findPipeline(store, call, input.pipelineName);
        const { [stageOf(record, input.stageName)]: _enabled, ...disabled } = record.disabled;
        save(store, { ...record, disabled });
        advance(engine, call, record.declaration.name);
        return {};
      },
    }),
  };
}

function tagOperations(store: Store) {
  return {
    ListTagsForResource: operation<ListTagsForResourceInput, ListTagsForResourceOutput>({
      access: (input, call) => on("ListTagsForResource", call, nameOf(input.resourceArn)),
      run: (input, call) => ({ tags: [...findPipeline(store, call, nameOf(input.resourceArn)).tags] }),
    }),
    TagResource: operation<TagResourceInput, object>({
      access: (input, call) => on("TagResource", call, nameOf(input.resourceArn)),
      run(input, call) {
        const record = findPipeline(store, call, nameOf(input.resourceArn));
        const added = (input.tags ?? []).map(({ key = "", value = "" }) => ({ key, value }));
        save(store, { ...record, tags: [...record.tags.filter(({ key }) => !added.some((tag) => tag.key === key)), ...added] });
        return {};
      },
    }),
    UntagResource: operation<UntagResourceInput, object>({
      access: (input, call) => on("UntagResource", call, nameOf(input.resourceArn)),
      run(input, call) {
        const record = findPipeline(store, call, nameOf(input.resourceArn));
        save(store, { ...record, tags: record.tags.filter(({ key }) => !input.tagKeys?.includes(key)) });
        return {};
      },
    }),
  };
}

const save = (store: Store, record: PipelineRecord) =>
  store.pipelines.put([record.account, record.region, record.declaration.name], record);

const nameOf = (arn: string | undefined): string => arn?.split(":")[5]?.split("/")[0] ?? "";

function stageOf({ declaration }: PipelineRecord, name: string | undefined): string {
  if (!name || !declaration.stages?.some((stage) => stage.name === name)) throw stageNotFound(name ?? "");
  return name;
}
