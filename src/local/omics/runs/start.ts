import type { StartRunRequest, StartRunResponse } from "../../../model/generated/types.ts";
import { formatS3Uri, joinS3Uri, parseS3Uri } from "../../../kit/s3-uri.ts";
import { principalArn } from "../../authorization/principal.ts";
import { validatePolicyDocument } from "../../authorization/validate-policy.ts";
import type { Call } from "../../gateway/service.ts";
import { runArn } from "../arns.ts";
import { emitRunStatus } from "../emit.ts";
import { cacheNotFound, configurationNotFound, conflict, invalid, quotaExceeded, runGroupNotFound } from "../errors.ts";
import { once } from "../idempotency.ts";
import { nextId } from "../ids.ts";
import type { Omics } from "../omics.ts";
import { DEFAULT_STATIC_GIB, provisionedGib } from "../storage-sizes.ts";
import type { Definition, Run } from "../store.ts";
import { checkTags } from "../tag-rules.ts";
import { checkOwn, findVersion, findWorkflow } from "../workflows/find.ts";
import { checkParameters } from "./parameters.ts";
import { checkedSettings } from "./engine-settings.ts";
import { findRun } from "./find.ts";
import { logRunEvent } from "./logs.ts";
import { makeRoom } from "./retention.ts";

/** StartRun: checks what can be known now, and puts the run into the queue. */
export function startRun(omics: Omics, given: StartRunRequest, call: Call): StartRunResponse {
  const input = repeated(omics, given, call);
  const { response, isNew } = once(omics.store, { operation: "StartRun", requestId: given.requestId, input: given, call }, () => {
    makeRoom(omics, call);
    const run = newRun(omics, input, call);
    omics.store.runs.put([call.account, call.region, run.id], run);
    emitRunStatus(omics.core, run);
    logRunEvent(omics, run, "CREATING_RUN");
    const { arn, id, status, tags, uuid, runOutputUri, networkingMode } = run;
    return { arn, id, status, tags, uuid, runOutputUri, networkingMode };
  });
  if (isNew) omics.schedule();
  return response;
}

const REPEATED: ReadonlySet<string> = new Set<keyof Run>([
  "workflowId",
  "workflowVersionName",
  "workflowOwnerId",
  "name",
  "runGroupId",
  "priority",
  "parameters",
  "storageType",
  "storageCapacity",
  "logLevel",
  "retentionMode",
  "networkingMode",
  "scratchStorageMode",
  "sessionPolicy",
  "engineSettings",
  "outputUriPrefixMode",
]);

/** A run of a run: what the request leaves out comes from the older one. */
function repeated(omics: Omics, input: StartRunRequest, call: Call): StartRunRequest {
  if (input.runId == null) return input;
  const before = Object.fromEntries(Object.entries(findRun(omics, call, input.runId)).filter(([member]) => REPEATED.has(member)));
  const said = Object.entries(input).filter(([, value]) => value !== undefined && value !== null);
  return { ...before, ...Object.fromEntries(said) } as StartRunRequest;
}

function newRun(omics: Omics, input: StartRunRequest, call: Call): Run {
  const { definition, workflowName } = definitionOf(omics, input, call);
  checkTogether(input);
  checkTags(input.tags ?? {}, omics.quotas);
  checkParameters(input.parameters, definition, omics.quotas);
  if (input.runGroupId != null && !omics.store.runGroups.get([call.account, call.region, input.runGroupId]))
    throw runGroupNotFound(input.runGroupId);
  const id = nextId(omics, "run", call);
  const isNextflow = definition.engine === "NEXTFLOW";
  return {
    place: { account: call.account, region: call.region },
    id,
    arn: runArn(call, id),
    uuid: omics.core.random.uuid(),
    status: "PENDING",
    startedBy: principalArn(call.caller),
    creationTime: omics.core.clock.now().toISOString(),
    tags: input.tags ?? {},
    roleArn: input.roleArn,
    workflowId: input.workflowId ?? "",
    workflowUuid: definition.uuid,
    ...(workflowName !== undefined && { workflowName }),
    engine: definition.engine ?? "WDL",
    main: definition.main ?? "",
    zip: definition.zip ?? "",
    digest: definition.digest ?? "",
    ...(definition.accelerators && { accelerators: definition.accelerators }),
    ...(definition.containerRegistryMap && { containerRegistryMap: definition.containerRegistryMap }),
    parameters: input.parameters ?? {},
    ...storageOf(omics, input, definition),
    outputUri: input.outputUri,
    runOutputUri: runOutputUri(input, id),
    logLevel: input.logLevel ?? "ALL",
    networkingMode: input.networkingMode ?? "RESTRICTED",
    eventPosition: 0,
    ...(isNextflow && definition.nextflow && { nextflow: definition.nextflow }),
    ...(isNextflow && input.engineSettings != null && { engineSettings: checkedSettings(input.engineSettings, definition) }),
    ...options(input),
  };
}

/** Members that are kept as they were sent, where they were. */
function options(input: StartRunRequest): Partial<Run> {
  const names = [
    "name",
    "workflowOwnerId",
    "workflowVersionName",
    "runId",
    "runGroupId",
    "priority",
    "retentionMode",
    "scratchStorageMode",
    "sessionPolicy",
    "outputUriPrefixMode",
  ] as const;
  return Object.fromEntries(names.flatMap((name) => (input[name] == null ? [] : [[name, input[name]]]))) as Partial<Run>;
}

function definitionOf(omics: Omics, input: StartRunRequest, call: Call): { definition: Definition; workflowName?: string | undefined } {
  const { workflowId, workflowVersionName, workflowType, workflowOwnerId } = input;
  if (workflowId == null) throw invalid("One of workflowId and runId must be given");
  checkOwn({ type: workflowType, workflowOwnerId }, call, workflowId);
  const workflow = findWorkflow(omics, call, workflowId);
  const definition = workflowVersionName == null ? workflow : findVersion(omics, call, { workflowId, versionName: workflowVersionName });
  if (definition.status !== "ACTIVE") throw conflict(`${definition.arn} is ${definition.status}; only an ACTIVE workflow can be run`);
  return { definition, workflowName: workflow.name };
}

function checkTogether({ cacheBehavior, cacheId, networkingMode, configurationName, outputUri, sessionPolicy }: StartRunRequest): void {
  if (cacheBehavior != null && cacheId == null) throw invalid("cacheBehavior can be given only together with cacheId");
  if (cacheId != null) throw cacheNotFound(cacheId);
  if (networkingMode === "VPC" && configurationName == null) throw invalid("networkingMode VPC needs a configurationName");
  if (configurationName != null) throw configurationNotFound(configurationName);
  if (!isS3Uri(outputUri))
    throw invalid(`Value '${outputUri}' at 'outputUri' failed to satisfy constraint: Member must be an S3 URI, as s3://bucket/prefix`);
  const broken = sessionPolicy == null ? undefined : validatePolicyDocument(sessionPolicy);
  if (broken !== undefined) throw invalid(`The sessionPolicy is not a policy: ${broken}`);
}

function isS3Uri(text: string): boolean {
  try {
    parseS3Uri(text);
    return true;
  } catch {
    return false;
  }
}

/** `{outputUri}/{runId}` with one slash whatever the user passed; the outputUri itself where no prefix is wanted. */
function runOutputUri({ outputUri, outputUriPrefixMode }: StartRunRequest, id: string): string {
  return outputUriPrefixMode === "NONE_WITH_OVERWRITE" ? outputUri : formatS3Uri(joinS3Uri(parseS3Uri(outputUri), id));
}

function storageOf(omics: Omics, input: StartRunRequest, definition: Definition): Pick<Run, "storageType" | "storageCapacity"> {
  const storageType = input.storageType ?? definition.storageType;
  if (storageType === "DYNAMIC") return { storageType };
  const storageCapacity = provisionedGib(input.storageCapacity ?? definition.storageCapacity ?? DEFAULT_STATIC_GIB);
  if (storageCapacity > omics.quotas.staticStorageGib)
    throw quotaExceeded(`A run can have ${omics.quotas.staticStorageGib} GiB of static storage, not ${storageCapacity}`);
  return { storageType, storageCapacity };
}
