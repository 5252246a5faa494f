import type { NormalizedSchema } from "@smithy/core/schema";

type Tree = { [part: string]: Tree } & { [VALUE]?: string };
const VALUE = Symbol("value");

/**
 * Reads the form of an AWS query request (`Tags.member.1.Key=a`) as its schema demands.
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export function readQueryInput(schema: NormalizedSchema, form: string): Record<string, unknown> {
  const root: Tree = {};
  for (const [name, value] of new URLSearchParams(form)) {
    let node = root;
    for (const part of name.split(".")) node = node[part] ??= {};
    node[VALUE] = value;
  }
  return structure(schema, root);
}

function structure(schema: NormalizedSchema, tree: Tree): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, member] of schema.structIterator()) {
    const node = tree[String(member.getMergedTraits().xmlName ?? name)];
    if (node) result[name] = value(member, node);
  }
  return result;
}

function value(schema: NormalizedSchema, node: Tree): unknown {
  if (schema.isListSchema()) return list(schema, node);
  if (schema.isMapSchema()) return map(schema, node);
  if (schema.isStructSchema()) return structure(schema, node);
  const text = node[VALUE] ?? "";
  if (schema.isBooleanSchema()) return text === "true";
  if (schema.isNumericSchema()) return Number(text);
  if (schema.isTimestampSchema()) return new Date(text);
  return schema.isBlobSchema() ? Buffer.from(text, "base64") : text;
}

function list(schema: NormalizedSchema, node: Tree): unknown[] {
  const items = schema.getMergedTraits().xmlFlattened
    ? node
    : (node[String(schema.getValueSchema().getMergedTraits().xmlName ?? "member")] ?? {});
  return numbered(items).map((item) => value(schema.getValueSchema(), item));
}

function map(schema: NormalizedSchema, node: Tree): Record<string, unknown> {
  const entries = schema.getMergedTraits().xmlFlattened ? node : (node["entry"] ?? {});
  const keyName = String(schema.getKeySchema().getMergedTraits().xmlName ?? "key");
  const valueName = String(schema.getValueSchema().getMergedTraits().xmlName ?? "value");
  const pairs = numbered(entries).map((entry) => [entry[keyName]?.[VALUE] ?? "", value(schema.getValueSchema(), entry[valueName] ?? {})]);
  return Object.fromEntries(pairs) as Record<string, unknown>;
}

const numbered = (node: Tree): Tree[] =>
  Object.keys(node)
    .filter((part) => /^\d+$/.test(part))
    .sort((a, b) => Number(a) - Number(b))
    .map((part) => node[part] ?? {});
