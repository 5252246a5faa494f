/** YAML and JSON as CWL sees them: maps, lists and scalars, each with its place. */

/** Where something is written. Line and column start at 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Node = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: Place;
  /** How many nodes it unfolds to, shared ones counted each time. */
  readonly weight: number;
}

export interface Entry {
  /** Where the key is written. */
  readonly at: Place;
  readonly value: Node;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly at: Place;
  readonly weight: number;
}

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** As written where it is no string: `1.10` keeps its zero. */
  readonly text: string;
  readonly at: Place;
  readonly weight: 1;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export const mapOf = (node: Node | undefined): MapNode | undefined => (node?.kind === "map" ? node : undefined);

/** The member of a map; undefined for any other node. */
export const member = (node: Node | undefined, key: string): Node | undefined => mapOf(node)?.entries.get(key)?.value;

/** The string; undefined for any other node. */
export const stringOf = (node: Node | undefined): string | undefined =>
  node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;

/** The text of a scalar that is not null, as written. */
export const textOfScalar = (node: Node | undefined): string | undefined =>
  node?.kind === "scalar" && node.value !== null ? node.text : undefined;

export const isNull = (node: Node | undefined): boolean => node === undefined || (node.kind === "scalar" && node.value === null);

/** The items of a list, the node itself as the only item, nothing for null. */
export function itemsOf(node: Node | undefined): readonly Node[] {
  if (node === undefined || isNull(node)) return [];
  return node.kind === "list" ? node.items : [node];
}

/** The node as plain JSON. Its weight bounds the time. */
export function jsonOf(node: Node): Json {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(jsonOf);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, jsonOf(value)]));
}

/** One of a set that CWL lets people write as a list with ids or as a map by id. */
export interface Named {
  readonly id: string;
  readonly node: Node;
  readonly at: Place;
}

const NAMED = new WeakMap<Node, readonly Named[]>();

/** The members of such a set, in their order. A list item without the id field is left out. */
export function namedItems(node: Node | undefined, idField = "id"): readonly Named[] {
  if (node === undefined || idField !== "id") return membersOf(node, idField);
  // Each link of a workflow asks for all of its steps and inputs.
  const known = NAMED.get(node) ?? membersOf(node, idField);
  NAMED.set(node, known);
  return known;
}

function membersOf(node: Node | undefined, idField: string): readonly Named[] {
  if (node?.kind === "map") return [...node.entries].map(([key, { value, at }]) => ({ id: lastName(key), node: value, at }));
  return itemsOf(node).flatMap((item) => {
    const id = stringOf(member(item, idField));
    return id === undefined ? [] : [{ id: lastName(id), node: item, at: mapOf(item)?.entries.get(idField)?.at ?? item.at }];
  });
}

/** The short name of an identifier: `x` of `#main/x`, `file.cwl#main/x` and `x`. */
export const lastName = (id: string): string => fragmentOf(id).split("/").at(-1) ?? id;

/** What stands after `#`, or the whole text. */
export const fragmentOf = (id: string): string => id.slice(id.indexOf("#") + 1);

/** How many nodes one unfolds to that holds these. */
export const weightOf = (nodes: readonly Node[]): number => nodes.reduce((sum, { weight }) => sum + weight, 1);

/** A scalar; what YAML makes of it that JSON does not have (a bigint, a symbol) becomes its text. */
export function scalarOf(value: unknown, at: Place, source?: string): Node {
  const isJson = value === null || ["string", "number", "boolean"].includes(typeof value);
  const kept = isJson ? (value as string | number | boolean | null) : String(value);
  return { kind: "scalar", value: kept, text: typeof kept === "string" ? kept : (source ?? String(kept)), at, weight: 1 };
}
