import type { Diagnostic, Parameter, ParameterTemplate } from "../inspection.ts";
import type { Documents } from "./documents.ts";
import { member, namedItems, type Named, type Node, textOfScalar } from "./nodes.ts";
import { problem } from "./problems.ts";
import { type Process, requirementOf } from "./process.ts";
import { declaredTypes, defaultOf, holdsFile, isNullable, limitsOf, shortForm, typeNodeOf, typeOf, type TypeScope } from "./types.ts";

/** What a process asks for. */
export interface Interface {
  readonly parameters: readonly Parameter[];
  readonly parameterTemplate: ParameterTemplate;
  readonly problems: readonly Diagnostic[];
}

/** How many types one process may hold before reading them stops. */
const TYPE_BUDGET = 50_000;

/** The inputs of a process with their types, and the template HealthOmics makes of them (guide, parameter-templates: descriptions are labels). */
export function interfaceOf(process: Process, documents: Documents): Interface {
  const problems: Diagnostic[] = [];
  const scope = scopeOf(process, documents, problems);
  // An engine takes a document that declares an input twice, and asks for both.
  const inputs = namedItems(member(process.node, "inputs"));
  const parameters = inputs.map((input) => parameterOf(input, scope));
  const template = inputs.map(({ id, node }, index) => [
    id,
    { description: textOfScalar(member(node, "label")) ?? "", optional: parameters[index]?.optional ?? false },
  ]);
  return { parameters, parameterTemplate: Object.fromEntries(template), problems: [...problems, ...duplicates(inputs)] };
}

function duplicates(inputs: readonly Named[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return inputs
    .filter(({ id }) => seen.has(id) || !seen.add(id))
    .map(({ id, at }) => problem("cwl-duplicate-input", at, `there is another input called "${id}": a run gives one value for both`));
}

/** The declared inputs, one for each name. */
export function inputsOf({ node }: Process): readonly Named[] {
  const seen = new Set<string>();
  return namedItems(member(node, "inputs")).filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** The default an input declares; undefined for none and for null. */
export function declaredDefault(input: Node): Node | undefined {
  const node = member(input, "default");
  return defaultOf(node) === undefined ? undefined : node;
}

function scopeOf(process: Process, documents: Documents, problems: Diagnostic[]): TypeScope {
  const { node, document } = process;
  const declared = (["hints", "requirements"] as const).flatMap((field) => [
    ...declaredTypes(requirementOf(node, field, "SchemaDefRequirement")),
  ]);
  const unknown = (name: string, at: Node): void => {
    const says = name === "" ? "a type is missing here" : `"${name}" is not a type of CWL, and no SchemaDefRequirement declares it`;
    problems.push(problem("cwl-type", at.at, says));
  };
  return { documents, document, declared: new Map(declared), unknown, budget: { left: TYPE_BUDGET } };
}

function parameterOf({ id, node, at }: Named, scope: TypeScope): Parameter {
  const written = typeNodeOf(node);
  if (written === undefined) scope.unknown("", node);
  const type = typeOf(written, scope);
  const standard = defaultOf(node.kind === "map" ? member(node, "default") : undefined);
  return {
    name: id,
    type: shortForm(type),
    optional: isNullable(type) || standard !== undefined,
    ...(standard !== undefined && { default: standard }),
    file: at.file,
    line: at.line,
    ...limitsOf(type),
    ...(holdsFile(type) && { isFile: true }),
  };
}

/** Whether the declared type of an input lets null in. */
export function acceptsNull(input: Node, process: Process, documents: Documents): boolean {
  return isNullable(typeOf(typeNodeOf(input), scopeOf(process, documents, [])));
}
