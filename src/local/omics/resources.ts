import type { Clock } from "../../kit/clock.ts";
import type {
  Json,
  Properties,
  PropertyShape,
  ResourceProvider,
  ResourceRequest,
  ResourceState,
} from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";
import { ignoring } from "../gateway/ignore-error.ts";

// Properties, what needs a new resource and what Ref gives are those of the registered types AWS::Omics::* (their
// schemas of 2026-10, as cfn-lint ships them): READMEs and repositories are written with small letters there.
const DEFINITION: Readonly<Record<string, PropertyShape>> = {
  Accelerators: "string",
  DefinitionUri: "string",
  Description: "string",
  Engine: "string",
  Main: "string",
  ParameterTemplatePath: "string",
  StorageCapacity: "number",
  StorageType: "string",
  WorkflowBucketOwnerId: "string",
  ContainerRegistryMapUri: "string",
  readmeMarkdown: "string",
  readmePath: "string",
  readmeUri: "string",
  Tags: { "*": "string" },
  ParameterTemplate: { "*": { Description: "string", Optional: "boolean" } },
  DefinitionRepository: {
    connectionArn: "string",
    fullRepositoryId: "string",
    sourceReference: { type: "string", value: "string" },
    excludeFilePatterns: ["string"],
  },
  ContainerRegistryMap: {
    RegistryMappings: [
      { UpstreamRegistryUrl: "string", EcrRepositoryPrefix: "string", UpstreamRepositoryPrefix: "string", EcrAccountId: "string" },
    ],
    ImageMappings: [{ SourceImage: "string", DestinationImage: "string" }],
  },
};

const REPLACING: readonly string[] = [
  "DefinitionUri",
  "Engine",
  "Main",
  "ParameterTemplate",
  "Accelerators",
  "DefinitionRepository",
  "ParameterTemplatePath",
  "readmePath",
  "readmeUri",
  "WorkflowBucketOwnerId",
  "ContainerRegistryMap",
  "ContainerRegistryMapUri",
];

const CHANGEABLE = ["Description", "StorageType", "readmeMarkdown"] as const;

const gone = ignoring("ResourceNotFoundException");

/** AWS::Omics::Workflow, WorkflowVersion and RunGroup. */
export const omicsResources = (clock: Clock): readonly ResourceProvider[] => [workflow(clock), workflowVersion(clock), runGroup];

const workflow = (clock: Clock): ResourceProvider => ({
  type: "AWS::Omics::Workflow",
  properties: { ...DEFINITION, Name: "string" },
  replaceOn: [...REPLACING, "StorageCapacity"],
  attributes: ["Arn", "CreationTime", "Id", "Status", "Type", "Uuid"],
  async create(request) {
    const { id } = await request.call<{ id: string }>("omics", "CreateWorkflow", creation(request));
    request.announce(id);
    return workflowState(id, await active(clock, request, { operation: "GetWorkflow", named: { id } }));
  },
  async update(request) {
    const id = request.physicalId;
    await request.call("omics", "UpdateWorkflow", { id, ...apiMembers(only(request.properties, ["Name", ...CHANGEABLE])) });
    const found = await request.call<Described>("omics", "GetWorkflow", { id });
    await retag(request, found.arn);
    return workflowState(id, found);
  },
  delete: (request) => request.call("omics", "DeleteWorkflow", { id: request.physicalId }).then(() => undefined, gone),
});

const workflowVersion = (clock: Clock): ResourceProvider => ({
  type: "AWS::Omics::WorkflowVersion",
  properties: { ...DEFINITION, WorkflowId: "string", VersionName: "string" },
  required: ["WorkflowId", "VersionName"],
  replaceOn: [...REPLACING, "WorkflowId", "VersionName"],
  attributes: ["Arn", "CreationTime", "Status", "Type", "Uuid"],
  async create(request) {
    const { arn } = await request.call<{ arn: string }>("omics", "CreateWorkflowVersion", creation(request));
    request.announce(arn);
    return versionState(await active(clock, request, { operation: "GetWorkflowVersion", named: versionNamed(arn) }));
  },
  async update(request) {
    const named = versionNamed(request.physicalId);
    await request.call("omics", "UpdateWorkflowVersion", {
      ...named,
      ...apiMembers(only(request.properties, [...CHANGEABLE, "StorageCapacity"])),
    });
    await retag(request, request.physicalId);
    return versionState(await request.call<Described>("omics", "GetWorkflowVersion", named));
  },
  delete: (request) => request.call("omics", "DeleteWorkflowVersion", versionNamed(request.physicalId)).then(() => undefined, gone),
});

const runGroup: ResourceProvider = {
  type: "AWS::Omics::RunGroup",
  properties: { Name: "string", MaxCpus: "number", MaxRuns: "number", MaxDuration: "number", MaxGpus: "number", Tags: { "*": "string" } },
  replaceOn: [],
  attributes: ["Arn", "CreationTime", "Id"],
  async create(request) {
    const { id } = await request.call<{ id: string }>("omics", "CreateRunGroup", creation(request));
    return groupState(request, id);
  },
  async update(request) {
    const id = request.physicalId;
    const { Tags: _tags, ...limits } = request.properties;
    await request.call("omics", "UpdateRunGroup", { id, ...apiMembers(limits) });
    const state = await groupState(request, id);
    await retag(request, String(state.attributes["Arn"]));
    return state;
  },
  delete: (request) => request.call("omics", "DeleteRunGroup", { id: request.physicalId }).then(() => undefined, gone),
};

/** What GetWorkflow and GetWorkflowVersion say that a template may ask for. */
interface Described {
  readonly arn: string;
  readonly creationTime: string;
  readonly status: string;
  readonly statusMessage?: string;
  readonly type: string;
  readonly uuid: string;
}

const common = ({ arn, creationTime, status, type, uuid }: Described) => ({
  Arn: arn,
  CreationTime: creationTime,
  Status: status,
  Type: type,
  Uuid: uuid,
});
const workflowState = (id: string, found: Described): ResourceState => ({ physicalId: id, attributes: { ...common(found), Id: id } });
/** `Ref` of a version is its ARN. */
const versionState = (found: Described): ResourceState => ({ physicalId: found.arn, attributes: common(found) });

async function groupState({ call }: ResourceRequest, id: string): Promise<ResourceState> {
  const { arn, creationTime } = await call<Described>("omics", "GetRunGroup", { id });
  return { physicalId: id, attributes: { Arn: arn, CreationTime: creationTime, Id: id } };
}

/** `arn:aws:omics:us-east-1:111122223333:workflow/1234567/version/1.0.0` */
function versionNamed(arn: string): { readonly workflowId: string; readonly versionName: string } {
  const [, workflowId = "", , versionName = ""] = arn.split("/");
  return { workflowId, versionName };
}

const EVERY_MS = 100;

/** What was created, once it is ACTIVE. @throws Error with its statusMessage when it FAILED */
async function active(
  clock: Clock,
  { call, signal }: ResourceRequest,
  { operation, named }: { readonly operation: string; readonly named: object },
): Promise<Described> {
  for (;;) {
    const found = await call<Described>("omics", operation, named);
    if (found.status === "ACTIVE") return found;
    if (found.status !== "CREATING" && found.status !== "UPDATING")
      throw new Error(`${found.arn} is ${found.status}: ${found.statusMessage ?? "no reason given"}`);
    await clock.sleep(EVERY_MS, signal);
  }
}

/** The members of a request that creates. The step's token makes a repeated attempt find what the first one made. */
function creation(request: ResourceRequest): object {
  const { Tags: _tags, ...members } = request.properties;
  const tags = tagMap(request);
  return { ...apiMembers(members), ...(Object.keys(tags).length > 0 && { tags }), requestId: request.token };
}

const tagMap = (request: ResourceRequest): Readonly<Record<string, string>> =>
  Object.fromEntries(tagsOf(request).map(({ Key, Value }) => [Key, Value]));

const only = (properties: Properties, names: readonly string[]): Properties =>
  Object.fromEntries(names.flatMap((name) => (properties[name] === undefined ? [] : [[name, properties[name]]])));

/** The API's members are those of the template with a small first letter; names of parameters are nobody's members. */
function apiMembers(properties: Properties): object {
  const { ParameterTemplate: template, ...others } = properties;
  return {
    ...(lowerFirst(others) as object),
    ...(template !== undefined && {
      parameterTemplate: Object.fromEntries(
        Object.entries(template as Properties).map(([name, parameter]) => [name, lowerFirst(parameter)]),
      ),
    }),
  };
}

function lowerFirst(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(lowerFirst);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.charAt(0).toLowerCase() + name.slice(1), lowerFirst(member as Json)]),
  );
}

async function retag(request: ResourceRequest, resourceArn: string): Promise<void> {
  const now = tagMap(request);
  const { tags: before } = await request.call<{ tags: Readonly<Record<string, string>> }>("omics", "ListTagsForResource", { resourceArn });
  const removed = Object.keys(before).filter((key) => !(key in now));
  if (removed.length > 0) await request.call("omics", "UntagResource", { resourceArn, tagKeys: removed });
  if (Object.entries(now).some(([key, value]) => before[key] !== value))
    await request.call("omics", "TagResource", { resourceArn, tags: now });
}
