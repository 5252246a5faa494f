import type { Stack } from "@aws-sdk/client-cloudformation";
import { AwsError } from "../../gateway/aws-error.ts";
import type { CloudFormation } from "../cloudformation.ts";
import { validationError } from "../engine/errors.ts";
import { type Properties, type ResourceProvider, type ResourceRequest, tagsOf, type UpdateRequest } from "../resource-provider.ts";

/** How often a nested stack is looked at while it is worked on. */
const EVERY_MS = 100;

/**
 * A stack that is a resource of another one. Its template is read anew only when TemplateURL or another property changes.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html
 */
export function nestedStack(cloudformation: Pick<CloudFormation, "core" | "store">): ResourceProvider {
  const settled = (request: ResourceRequest, id: string) => settle({ cloudformation, request, id });
  const failure = (stack: Stack, verb: string) => embeddedFailure(cloudformation, stack, verb);
  return {
    type: "AWS::CloudFormation::Stack",
    properties: { TemplateURL: "string", Parameters: { "*": "string" }, Tags: [{ Key: "string", Value: "string" }] },
    required: ["TemplateURL"],
    replaceOn: [],
    attributes: "any",
    async create(request) {
      const id = await create(cloudformation, request);
      request.announce(id);
      const stack = await settled(request, id);
      if (stack.StackStatus !== "CREATE_COMPLETE") throw failure(stack, "created");
      return { physicalId: id, attributes: outputsOf(stack) };
    },
    async update(request) {
      const isBegun = await beginUpdate(cloudformation, request);
      const stack = await settled(request, request.physicalId);
      if (isBegun && stack.StackStatus !== "UPDATE_COMPLETE") throw failure(stack, "updated");
      return { physicalId: request.physicalId, attributes: outputsOf(stack) };
    },
    async delete(request) {
      await request.call("cloudformation", "DeleteStack", { StackName: request.physicalId });
      const stack = await settled(request, request.physicalId);
      if (stack.StackStatus !== "DELETE_COMPLETE") throw failure(stack, "deleted");
    },
  };
}

/** Whether there was anything to update: a parent on its way back finds a nested stack that went back by itself. */
async function beginUpdate(cloudformation: Pick<CloudFormation, "store">, request: UpdateRequest): Promise<boolean> {
  try {
    await request.call("cloudformation", "UpdateStack", { StackName: request.physicalId, ...inputOf(cloudformation, request) });
  } catch (error) {
    if (hasNoUpdates(error)) return false;
    if (!(request.resumed && isUnderWay(error))) throw error;
  }
  return true;
}

const messageOf = (error: unknown): string => (error instanceof AwsError ? error.message : "");
const hasNoUpdates = (error: unknown): boolean => messageOf(error) === "No updates are to be performed.";
const isUnderWay = (error: unknown): boolean => /is in UPDATE_\w*IN_PROGRESS state/.test(messageOf(error));

async function create(cloudformation: Pick<CloudFormation, "store">, request: ResourceRequest): Promise<string> {
  const StackName = request.suggestedName(128);
  const { store } = cloudformation;
  const present = store.stacks.named(request.stack, StackName);
  if (present && request.resumed) return present.id;
  const { StackId } = await request.call<{ StackId: string }>("cloudformation", "CreateStack", {
    StackName,
    ...inputOf(cloudformation, request),
  });
  const made = store.stacks.get(StackId);
  const parent = store.stacks.get(request.stack.id);
  if (made) store.stacks.put({ ...made, parentId: request.stack.id, rootId: parent?.rootId ?? request.stack.id });
  return StackId;
}

function inputOf({ store }: Pick<CloudFormation, "store">, request: ResourceRequest) {
  const { properties, stack } = request;
  const parameters = Object.entries((properties["Parameters"] ?? {}) as Readonly<Record<string, string>>);
  const parent = store.stacks.get(stack.id);
  return {
    TemplateURL: properties["TemplateURL"],
    Parameters: parameters.map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    // What was acknowledged for the whole holds for its parts.
    Capabilities: parent?.operation?.target?.capabilities ?? parent?.deployment.capabilities ?? [],
    Tags: tagsOf(request),
  };
}

interface Waiting {
  readonly cloudformation: Pick<CloudFormation, "core">;
  readonly request: ResourceRequest;
  readonly id: string;
}

/** The stack once nothing goes on in it. */
async function settle({ cloudformation, request, id }: Waiting): Promise<Stack> {
  for (;;) {
    const { Stacks = [] } = await request.call<{ Stacks?: readonly Stack[] }>("cloudformation", "DescribeStacks", { StackName: id });
    const [stack] = Stacks;
    if (!stack) throw validationError(`Embedded stack ${id} vanished while it was worked on`);
    if (!stack.StackStatus?.endsWith("IN_PROGRESS")) return stack;
    await cloudformation.core.clock.sleep(EVERY_MS, request.signal);
  }
}

const outputsOf = ({ Outputs = [] }: Stack): Properties =>
  Object.fromEntries(Outputs.map(({ OutputKey = "", OutputValue = "" }) => [`Outputs.${OutputKey}`, OutputValue]));

// The reason stands where the stack turned back, not where it ended.
function embeddedFailure(
  { store }: Pick<CloudFormation, "store">,
  { StackId = "", StackName, StackStatusReason }: Stack,
  verb: string,
): AwsError {
  const turned = store.events
    .list(StackId, { limit: 1000 })
    .find(({ event }) => event.logicalId === StackName && event.status.endsWith("ROLLBACK_IN_PROGRESS"));
  return validationError(
    `Embedded stack ${StackId} was not successfully ${verb}: ${StackStatusReason ?? turned?.event.reason ?? "see its events"}`,
  );
}
