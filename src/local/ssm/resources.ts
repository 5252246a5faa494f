import { type ResourceProvider, type ResourceRequest, type ResourceState, tagsOf } from "../cloudformation/resource-provider.ts";
import { ignoring } from "../gateway/ignore-error.ts";

const parameter: ResourceProvider = {
  type: "AWS::SSM::Parameter",
  properties: {
    Name: "string",
    Type: "string",
    Value: "string",
    Description: "string",
    AllowedPattern: "string",
    Tier: "string",
    DataType: "string",
    Tags: { "*": "string" },
  },
  required: ["Type", "Value"],
  replaceOn: ["Name", "Type"],
  attributes: ["Type", "Value"],
  async create(request) {
    const name = (request.properties["Name"] as string | undefined) ?? request.suggestedName(1011, { allowed: "\\w.-" });
    const Tags = tagsOf(request);
    // What an earlier attempt made may be there already; tags then come by their own call.
    const made = await put(request, name, { Tags }).catch((error: unknown) => {
      if (request.resumed) return ignoring("ParameterAlreadyExists")(error);
      throw error;
    });
    if (made === undefined) return overwrite(request, name);
    return state(request, name);
  },
  update: (request) => overwrite(request, request.physicalId),
  delete: async ({ physicalId, call }) => {
    await call("ssm", "DeleteParameter", { Name: physicalId }).catch(ignoring("ParameterNotFound"));
  },
};

function put({ properties, call }: ResourceRequest, name: string, more: object): Promise<object> {
  const { Type, Value, Description, AllowedPattern, Tier, DataType } = properties;
  return call<object>("ssm", "PutParameter", { Name: name, Type, Value, Description, AllowedPattern, Tier, DataType, ...more });
}

async function overwrite(request: ResourceRequest, name: string): Promise<ResourceState> {
  await put(request, name, { Overwrite: true, Description: request.properties["Description"] ?? "" });
  const named = { ResourceType: "Parameter", ResourceId: name };
  const now = tagsOf(request);
  const { TagList: before } = await request.call<{ TagList: readonly { Key: string }[] }>("ssm", "ListTagsForResource", named);
  const gone = before.map(({ Key }) => Key).filter((key) => !now.some(({ Key }) => Key === key));
  if (gone.length > 0) await request.call("ssm", "RemoveTagsFromResource", { ...named, TagKeys: gone });
  if (now.length > 0) await request.call("ssm", "AddTagsToResource", { ...named, Tags: now });
  return state(request, name);
}

const state = ({ properties }: ResourceRequest, name: string): ResourceState => ({
  physicalId: name,
  attributes: { Type: properties["Type"] ?? "", Value: properties["Value"] ?? "" },
});

/** The CloudFormation types of Systems Manager. */
export const ssmResources: readonly ResourceProvider[] = [parameter];
