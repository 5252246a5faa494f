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
import { type Call, type Core, operation } from "../gateway/service.ts";
import type { Engine } from "./engine.ts";
import { pipelineNameInUse, pipelineNotFound, stageNotFound } from "./errors.ts";
import { startExecution } from "./start.ts";
import { checked } from "./structure.ts";
import { isComplete } from "./pipeline-variables.ts";
import { type PipelineRecord, pipelineArn, type Store } from "./store.ts";

export const on = (action: string) => (name: string | undefined, call: Call) => [
  { action: `codepipeline:${action}`, resource: pipelineArn(call, name ?? "") },
];

const passRole = (pipeline: PipelineDeclaration | undefined) =>
  [pipeline?.roleArn, ...(pipeline?.stages ?? []).flatMap((stage) => (stage.actions ?? []).map((action) => action.roleArn))]
    .filter((role) => role !== undefined)
    .map((role) => ({ action: "iam:PassRole", resource: role, context: { "iam:PassedToService": "codepipeline.amazonaws.com" } }));

interface Parts {
  readonly core: Core;
  readonly store: Store;
  readonly engine: Engine;
}

/** Pipelines themselves, their tags and transitions. */
export function pipelineOperations(core: Core, store: Store, engine: Engine) {
  return {
    ...writingOperations({ core, store, engine }),
    ...readingOperations({ core, store, engine }),
    ...transitionOperations({ core, store, engine }),
    ...tagOperations({ core, store, engine }),
  };
}

function writingOperations({ core, store, engine }: Parts) {
  return {
    CreatePipeline: operation<CreatePipelineInput, CreatePipelineOutput>({
      access: (input, call) => [...on("CreatePipeline")(input.pipeline?.name, call), ...passRole(input.pipeline)],
      run(input, call) {
        const declaration = { ...checked(input.pipeline), version: 1 };
        const now = core.clock.now().toISOString();
        const tags = (input.tags ?? []).map(({ key = "", value = "" }) => ({ key, value }));
        const record: PipelineRecord = {
          account: call.account,
          region: call.region,
          declaration,
          created: now,
          updated: now,
          tags,
          disabled: {},
        };
        if (!store.pipelines.insert([call.account, call.region, declaration.name], record)) throw pipelineNameInUse(declaration.name);
        // Creating a pipeline starts a first execution (codepipeline/latest/userguide/pipelines-create.html), unless it can't know a variable.
        if (isComplete(declaration))
          startExecution(core, store, { record, trigger: { triggerType: "CreatePipeline", triggerDetail: principalArn(call.caller) } });
        engine.advance({ account: call.account, region: call.region, name: declaration.name });
        return { pipeline: declaration, tags };
      },
    }),
    UpdatePipeline: operation<UpdatePipelineInput, UpdatePipelineOutput>({
      access: (input, call) => [...on("UpdatePipeline")(input.pipeline?.name, call), ...passRole(input.pipeline)],
      run(input, call) {
        const before = findPipeline(store, call, input.pipeline?.name);
        const declaration = { ...checked(input.pipeline), version: before.declaration.version + 1 };
        save(store, { ...before, declaration, updated: core.clock.now().toISOString() });
        return { pipeline: declaration };
      },
    }),
    DeletePipeline: operation<DeletePipelineInput, object>({
      access: (input, call) => on("DeletePipeline")(input.name, call),
      run(input, call) {
        store.transaction(() => {
          for (const { key, value } of store.executions.find("active", `${call.account}/${call.region}/${input.name}`))
            store.executions.put(key, { ...value, status: "Stopped", inStage: false, statusSummary: "the pipeline was deleted" });
          store.pipelines.delete([call.account, call.region, input.name ?? ""]);
        });
        return {};
      },
    }),
  };
}

function readingOperations({ store }: Parts) {
  return {
    GetPipeline: operation<GetPipelineInput, GetPipelineOutput>({
      access: (input, call) => on("GetPipeline")(input.name, call),
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
      access: (input, call) => [
        { action: "codepipeline:DisableStageTransition", resource: `${pipelineArn(call, input.pipelineName ?? "")}/${input.stageName}` },
      ],
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
      access: (input, call) => [
        { action: "codepipeline:EnableStageTransition", resource: `${pipelineArn(call, input.pipelineName ?? "")}/${input.stageName}` },
      ],
      run(input, call) {
        const record = findPipeline(store, call, input.pipelineName);
        const { [stageOf(record, input.stageName)]: _enabled, ...disabled } = record.disabled;
        save(store, { ...record, disabled });
        engine.advance({ account: call.account, region: call.region, name: record.declaration.name });
        return {};
      },
    }),
  };
}

function tagOperations({ store }: Parts) {
  return {
    ListTagsForResource: operation<ListTagsForResourceInput, ListTagsForResourceOutput>({
      access: (input, call) => on("ListTagsForResource")(nameOf(input.resourceArn), call),
      run: (input, call) => ({ tags: [...findPipeline(store, call, nameOf(input.resourceArn)).tags] }),
    }),
    TagResource: operation<TagResourceInput, object>({
      access: (input, call) => on("TagResource")(nameOf(input.resourceArn), call),
      run(input, call) {
        const record = findPipeline(store, call, nameOf(input.resourceArn));
        const added = (input.tags ?? []).map(({ key = "", value = "" }) => ({ key, value }));
        save(store, { ...record, tags: [...record.tags.filter(({ key }) => !added.some((tag) => tag.key === key)), ...added] });
        return {};
      },
    }),
    UntagResource: operation<UntagResourceInput, object>({
      access: (input, call) => on("UntagResource")(nameOf(input.resourceArn), call),
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

/** @throws AwsError PipelineNotFoundException */
export function findPipeline(store: Store, call: Pick<Call, "account" | "region">, name: string | undefined): PipelineRecord {
  const record = store.pipelines.get([call.account, call.region, name ?? ""]);
  if (!record) throw pipelineNotFound(name ?? "", call.account);
  return record;
}

function stageOf({ declaration }: PipelineRecord, name: string | undefined): string {
  if (!name || !declaration.stages?.some((stage) => stage.name === name)) throw stageNotFound(name ?? "");
  return name;
}
