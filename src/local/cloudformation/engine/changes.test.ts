import { describe, expect, test } from "vitest";
import type { ResourceProvider } from "../resource-provider.ts";
import { type ExistingResource, planChanges } from "./changes.ts";
import { prepare } from "./prepare.ts";
import { providersOf } from "./providers.ts";
import { parseTemplate } from "./template/template.ts";
import { UNKNOWN } from "./values.ts";

const nothing = () => Promise.reject(new Error("planning makes nothing"));
const thing: ResourceProvider = {
  type: "Test::Thing",
  properties: { Name: "string", Size: "number", Config: { A: "string", B: ["string"] }, Tags: [{ Key: "string", Value: "string" }] },
  replaceOn: ["Name", "Config.A"],
  attributes: ["Arn"],
  create: nothing,
  update: nothing,
  delete: nothing,
};
const providers = providersOf([thing]);
const stack = { id: "arn", name: "s", account: "1", region: "r", notificationArns: [] };

const plan = (Resources: object, existing: readonly ExistingResource[] = [], hasNewTags = false) => {
  const { instance, scope } = prepare({
    template: parseTemplate(JSON.stringify({ Resources })),
    parameters: [],
    stack,
    importValue: (name) => name,
  });
  return planChanges({ instance, scope, providers, existing, hasNewTags }).changes;
};

const has = (logicalId: string, properties: ExistingResource["properties"], more: Partial<ExistingResource> = {}): ExistingResource => ({
  logicalId,
  type: "Test::Thing",
  physicalId: `${logicalId}-1`,
  properties,
  attributes: { Arn: `arn:${logicalId}` },
  deletionPolicy: "Delete",
  updateReplacePolicy: "Delete",
  ...more,
});

describe("planning changes", () => {
  test("nothing changed, nothing planned", () => {
    const made = [has("A", { Name: "a" }), has("B", { Name: "arn:A" })];
    expect(
      plan(
        {
          A: { Type: "Test::Thing", Properties: { Name: "a" } },
          B: { Type: "Test::Thing", Properties: { Name: { "Fn::GetAtt": "A.Arn" } } },
        },
        made,
      ),
    ).toEqual([]);
  });

  test("a text where a number is due is no change", () => {
    expect(plan({ A: { Type: "Test::Thing", Properties: { Size: "5" } } }, [has("A", { Size: 5 })])).toEqual([]);
  });

  test("adds in the order of dependencies, removes last", () => {
    const changes = plan({ B: { Type: "Test::Thing", Properties: { Name: { Ref: "A" } } }, A: { Type: "Test::Thing" } }, [has("Old", {})]);
    expect(changes.map(({ action, logicalId }) => [action, logicalId])).toEqual([
      ["Add", "A"],
      ["Add", "B"],
      ["Remove", "Old"],
    ]);
    expect(changes[1]?.after).toEqual({ Name: UNKNOWN });
  });

  test("a property that can't be changed in place replaces, and what refers to the resource may be replaced", () => {
    const changes = plan(
      { A: { Type: "Test::Thing", Properties: { Name: "new" } }, B: { Type: "Test::Thing", Properties: { Name: { Ref: "A" }, Size: 1 } } },
      [has("A", { Name: "a" }), has("B", { Name: "A-1", Size: 1 })],
    );
    expect(changes.map(({ logicalId, replacement }) => [logicalId, replacement])).toEqual([
      ["A", "True"],
      ["B", "Conditional"],
    ]);
    expect(changes[1]?.differences).toMatchObject([
      { path: ["Name"], evaluation: "Dynamic", requiresRecreation: "Conditionally", references: [{ kind: "Ref", name: "A" }] },
    ]);
  });

  test("names the deepest member that differs, and its update behaviour", () => {
    const [change] = plan({ A: { Type: "Test::Thing", Properties: { Config: { A: "x", B: ["2"] } } } }, [
      has("A", { Config: { A: "x", B: ["1"] } }),
    ]);
    expect(change).toMatchObject({
      replacement: "False",
      scope: ["Properties"],
      differences: [{ path: ["Config", "B"], before: ["1"], after: ["2"], change: "Modify" }],
    });
    const [other] = plan({ A: { Type: "Test::Thing" } }, [has("A", { Config: { A: "x" } })]);
    expect(other).toMatchObject({ replacement: "True", differences: [{ path: ["Config"], change: "Remove" }] });
  });

  test("metadata, policies and stack tags are changes without a difference of properties", () => {
    const declared = { Type: "Test::Thing", Metadata: { a: 1 }, DeletionPolicy: "Retain" };
    expect(plan({ A: declared }, [has("A", {})], true)).toMatchObject([
      { replacement: "False", scope: ["Metadata", "DeletionPolicy", "Tags"] },
    ]);
  });

  test.each<[object, string]>([
    [
      { A: { Type: "Test::Thing", Properties: { Colour: 1 } } },
      "Properties validation failed for resource A with message:\n[#: extraneous key [Colour] is not permitted]",
    ],
    [{ A: { Type: "Test::Thing", Properties: { Config: { C: 1 } } } }, "#/Config: extraneous key [C] is not permitted"],
    [{ A: { Type: "Test::Thing", Properties: { Config: { B: "x" } } } }, "#/Config/B: expected type: JSONArray, found: String"],
    [
      { A: { Type: "Test::Other" }, B: { Type: "Test::Else" } },
      "Template format error: Unrecognized resource types: [Test::Other, Test::Else]",
    ],
    [{ A: { Type: "Test::Thing", DeletionPolicy: "Snapshot" } }, "Unrecognized DeletionPolicy Snapshot for resource A"],
    [
      {
        A: { Type: "Test::Thing", Properties: { Name: { Ref: "B" } } },
        B: { Type: "Test::Thing", DependsOn: "C" },
        C: { Type: "Test::Thing", Properties: { Name: { "Fn::Sub": "${A.Arn}" } } },
      },
      "Circular dependency between resources: [A, B, C]",
    ],
  ])("refuses %j", (resources, message) => {
    expect(() => plan(resources)).toThrow(message);
  });
});
