/** What a document asks of whoever runs it: the parameters of its main workflow, or of its one task. */
import type { Parameter, ParameterTemplate } from "../inspection.ts";
import type { Declaration, Expression, MetaValue, Task, Workflow } from "./ast.ts";
import type { Document } from "./document.ts";
import { literalOf } from "./literals.ts";
import { holdsFiles, printType, type StructDefinition, type Type } from "./types.ts";

/** What a run of the document runs: its workflow, or its one task. */
export function entryOf(document: Document): Workflow | Task | undefined {
  if (document.workflow) return document.workflow;
  return document.syntax.tasks.length === 1 ? document.syntax.tasks[0] : undefined;
}

/**
 * The declarations that are inputs. Without an `input` section these are the ones in the body
 * (draft-2's way; miniwdl reads documents of every version so).
 */
export function inputsOf(entry: Workflow | Task): readonly Declaration[] {
  if (entry.inputs) return entry.inputs;
  if (entry.kind === "task") return entry.declarations;
  return entry.body.filter((element) => element.kind === "declaration");
}

/** A run may leave the input out: it has a default or its type ends in `?` (guide, "Parameter templates"). */
export const isOptional = (input: Declaration): boolean => input.type.optional || input.value !== undefined;

export function parametersOf(document: Document, entry: Workflow | Task): readonly Parameter[] {
  return uniqueInputs(entry).map((input) => ({
    name: input.name,
    ...describeType(document.typeOf(input), isOptional(input)),
    ...(input.value && { default: defaultOf(document, input.value) }),
    file: document.file,
    line: document.syntax.source.position(input.start).line,
  }));
}

export function templateOf(entry: Workflow | Task): ParameterTemplate {
  const descriptions = entry.parameterMeta?.values ?? {};
  return Object.fromEntries(
    uniqueInputs(entry).map((input) => [
      input.name,
      {
        description: descriptionIn(Object.hasOwn(descriptions, input.name) ? descriptions[input.name] : undefined),
        optional: isOptional(input),
      },
    ]),
  );
}

/** `parameter_meta { x: "text" }`, or `x: { description: "text" }` or `help` as collections write it. */
export function descriptionIn(value: MetaValue | undefined): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
  const fields = new Map<string, MetaValue>(Object.entries(value));
  const text = fields.get("description") ?? fields.get("help");
  return typeof text === "string" ? text : "";
}

const uniqueInputs = (entry: Workflow | Task): readonly Declaration[] => [
  ...new Map(inputsOf(entry).map((input) => [input.name, input])).values(),
];

type Member = NonNullable<Parameter["members"]>[number];

/** Structs within structs double: this many members tell a person enough. */
const MAX_MEMBERS = 1000;

function describeType(type: Type, optional: boolean): Omit<Member, "name"> {
  return describe(type, optional, { left: MAX_MEMBERS, open: [] });
}

interface Budget {
  left: number;
  readonly open: StructDefinition[];
}

function describe(type: Type, optional: boolean, budget: Budget): Omit<Member, "name"> {
  const members = membersIn(type, budget);
  return { type: printType(type), optional, ...(members && { members }), ...(holdsFiles(type) && { isFile: true }) };
}

/** The members of the struct that a type is, or is an array or a map of. */
function membersIn(type: Type, budget: Budget): readonly Member[] | undefined {
  if (type.kind === "Array") return membersIn(type.item, budget);
  if (type.kind === "Map") return membersIn(type.value, budget);
  if (type.kind !== "Struct" || !type.definition || budget.open.includes(type.definition)) return undefined;
  budget.open.push(type.definition);
  const members: Member[] = [];
  for (const [name, member] of type.definition.members) {
    if (budget.left <= 0) break;
    budget.left -= 1;
    members.push({ name, ...describe(member, member.optional, budget) });
  }
  budget.open.pop();
  return members;
}

function defaultOf(document: Document, value: Expression): unknown {
  const literal = literalOf(value);
  return literal === undefined ? document.syntax.source.text.slice(value.start, value.end) : literal;
}
