import { operations, shapes } from "./generated/tables.ts";
import type { Member, Shape } from "./shape.ts";
import type { OperationName } from "./validate.ts";

/** The parts of an HTTP request that carry members. */
export interface RequestParts {
  readonly labels: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed JSON body; an empty object when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * The members of a request, gathered from path, query and body. A member that travels in the path or query is not
 * taken from the body. A number or boolean in the query becomes one; text that is neither stays text, for validation to refuse.
 */
export function readRequest(operation: OperationName, parts: RequestParts): Readonly<Record<string, unknown>> {
  const members = inputMembers(operation);
  const located = Object.entries(members).flatMap(([name, member]) => {
    if (member.location === "uri") return [[name, parts.labels[name]] as const];
    return member.location === "querystring" ? queryMember(name, member, parts.query) : [];
  });
  const body = Object.entries(parts.body).filter(([name]) => members[name]?.location === undefined);
  return Object.fromEntries([...body, ...located]);
}

/** The members of an operation's request. */
export function inputMembers(operation: OperationName): Readonly<Record<string, Member>> {
  const shape = shapeNamed(operations[operation].input);
  return shape?.type === "structure" ? shape.members : {};
}

const shapeNamed = (name: string): Shape | undefined => (shapes as Readonly<Record<string, Shape>>)[name];

function queryMember(name: string, member: Member, query: URLSearchParams): readonly (readonly [string, unknown])[] {
  const values = query.getAll(name);
  if (values.length === 0) return [];
  const shape = shapeNamed(member.shape);
  if (shape?.type === "list") return [[name, values]];
  const value = values[0] ?? "";
  if ((shape?.type === "integer" || shape?.type === "long") && /^-?\d{1,15}$/.test(value)) return [[name, Number(value)]];
  if (shape?.type === "boolean" && (value === "true" || value === "false")) return [[name, value === "true"]];
  return [[name, value]];
}
