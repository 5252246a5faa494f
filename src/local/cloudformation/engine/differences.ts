import type { Json, Properties } from "../resource-provider.ts";
import { type Reference, references } from "./template/expressions.ts";
import { hasUnknown, isObject, isSame, isValueObject, type JsonObject, UNKNOWN, type Value } from "./values.ts";

/** One property that is not what it was. */
export interface Difference {
  /** Members from the top: `["VersioningConfiguration", "Status"]`. Lists are compared whole. */
  readonly path: readonly string[];
  readonly change: "Add" | "Modify" | "Remove";
  readonly before: Json | undefined;
  readonly after: Value | undefined;
  readonly requiresRecreation: "Never" | "Conditionally" | "Always";
  /** Dynamic where the value, and so whether it differs at all, is known only once another resource was made. */
  readonly evaluation: "Static" | "Dynamic";
  /** What the property's expression refers to, in order of appearance. */
  readonly references: readonly Reference[];
}

/** What is compared. */
export interface Comparison {
  readonly before: Properties;
  readonly after: Value;
  /** The properties as the template writes them. */
  readonly expression: JsonObject;
  /** Property paths, with dots, whose change needs a new resource. */
  readonly replaceOn: readonly string[];
}

/** Every difference between the properties a resource was made with and those it shall have. */
export function differences({ before, after, expression, replaceOn }: Comparison): readonly Difference[] {
  return [...walk({ before: before as Json, after, path: [] })].map((found) => {
    const evaluation = found.after !== undefined && hasUnknown(found.after) ? "Dynamic" : "Static";
    const isReplacing = replaceOn.some((entry) => touches(found.path, entry.split(".")));
    const requiresRecreation = isReplacing ? (evaluation === "Dynamic" ? "Conditionally" : "Always") : "Never";
    return { ...found, evaluation, requiresRecreation, references: [...references(at(expression, found.path))] } as const;
  });
}

interface Pair {
  readonly before: Json | undefined;
  readonly after: Value | undefined;
  readonly path: readonly string[];
}

function* walk({ before, after, path }: Pair): Generator<Pair & Pick<Difference, "change">> {
  if (isSame(before, after)) return;
  if (isObject(before) && after !== undefined && after !== UNKNOWN && isValueObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
      yield* walk({ before: before[name], after: after[name], path: [...path, name] });
    return;
  }
  yield { before, after, path, change: changeOf(before, after) };
}

function changeOf(before: Pair["before"], after: Pair["after"]): Difference["change"] {
  if (before === undefined) return "Add";
  return after === undefined ? "Remove" : "Modify";
}

// A change of A touches A.B, and a change of A.B.C touches A.B.
const touches = (path: readonly string[], entry: readonly string[]): boolean =>
  path.slice(0, entry.length).every((member, index) => member === entry[index]);

// As deep as the template spells the path out; an expression on the way stands for everything below it.
function at(node: Json, path: readonly string[]): Json {
  const [name, ...rest] = path;
  if (name === undefined || !isObject(node)) return node;
  return name in node ? at(node[name] as Json, rest) : node;
}
