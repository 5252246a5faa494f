import type { Json, Properties, ResourceProvider, ResourceRequest } from "../resource-provider.ts";
import { AwsError } from "../../gateway/aws-error.ts";

/** A thing of the world: what a resource of a test is outside CloudFormation. */
export interface Thing {
  readonly physicalId: string;
  readonly token: string;
  properties: Properties;
}

/** The world that test resources live in. It survives the death of whoever works on it. */
export interface World {
  readonly things: Map<string, Thing>;
  /** Every call of a provider, in order: `create A`. */
  readonly calls: string[];
  /** Makes the next calls of this form fail, `create A` or `update B` for instance. */
  readonly failing: Map<string, string>;
  /** The most that was worked on at once. */
  peak: number;
  readonly provider: ResourceProvider;
}

/**
 * A world with things of type `Test::Thing`: property `Name` replaces, `Size` updates in place, `Shape` makes the provider
 * ask for a replacement itself. `Fail` makes creation and update fail.
 */
export function openWorld(): World {
  const world: World = { things: new Map(), calls: [], failing: new Map(), peak: 0, provider: undefined as never };
  let underWay = 0;
  const act = async <T>(verb: string, request: ResourceRequest, work: () => T): Promise<T> => {
    world.calls.push(`${verb} ${request.logicalId}`);
    underWay++;
    world.peak = Math.max(world.peak, underWay);
    // Lets others begin, as a real call would.
    for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    underWay--;
    const reason =
      world.failing.get(`${verb} ${request.logicalId}`) ??
      (verb === "delete" ? undefined : (request.properties["Fail"] as string | undefined));
    if (reason) throw new AwsError(409, "ConflictException", reason);
    return work();
  };
  const attributesOf = (thing: Thing): Record<string, Json> => ({ Arn: `arn:${thing.physicalId}`, Size: thing.properties["Size"] ?? 0 });
  const provider: ResourceProvider = {
    type: "Test::Thing",
    properties: {
      Name: "string",
      Size: "number",
      Shape: "string",
      Fail: "string",
      Uses: "any",
      Tags: [{ Key: "string", Value: "string" }],
    },
    replaceOn: ["Name"],
    attributes: ["Arn", "Size"],
    create: (request) =>
      act("create", request, () => {
        const physicalId = request.suggestedName(80);
        const present = world.things.get(physicalId);
        if (present && present.token !== request.token) throw new AwsError(409, "AlreadyExists", `${physicalId} exists`);
        if (present && !request.resumed) throw new Error("made twice without being told that the step is resumed");
        const thing: Thing = { physicalId, token: request.token, properties: request.properties };
        world.things.set(physicalId, thing);
        return { physicalId, attributes: attributesOf(thing) };
      }),
    update: (request) =>
      act("update", request, () => {
        const thing = world.things.get(request.physicalId);
        if (!thing) throw new AwsError(404, "NotFound", `${request.physicalId} is not there`);
        if (request.previousProperties["Shape"] !== request.properties["Shape"]) return "REPLACE";
        thing.properties = request.properties;
        return { physicalId: request.physicalId, attributes: attributesOf(thing) };
      }),
    delete: (request) => act("delete", request, () => void world.things.delete(request.physicalId)),
  };
  return Object.assign(world, { provider });
}
