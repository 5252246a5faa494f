import type { Choice, Evaluation, Scope, Unknown } from "./types.ts";

/** A scope inside another, with variables of its own. */
export function inner(parent: Scope, changes: Partial<Pick<Scope, "builtin" | "params">> = {}): Scope {
  return { ...parent, ...changes, variables: new Map(), parent };
}

/** The choices for a variable, from the innermost scope that has it. */
export function variable(scope: Scope, name: string): readonly Choice[] | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const found = at.variables.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Assigns to the variable where it is declared, or here. */
export function assign(scope: Scope, name: string, choices: readonly Choice[]): void {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    if (at.variables.has(name)) return void at.variables.set(name, choices);
  }
  scope.variables.set(name, choices);
}

/** The source of a node on one line. */
export function sourceText(scope: Scope, node: { readonly start: number; readonly end: number }): string {
  const text = scope.file.text.slice(node.start, node.end).replace(/\s+/g, " ").trim();
  return text.length > 300 ? `${text.slice(0, 297)}...` : text;
}

/** The value of a node that can't be known. */
export function unknown(scope: Scope, node: { readonly start: number; readonly end: number }, inputs: readonly string[] = []): Unknown {
  return { kind: "unknown", expression: sourceText(scope, node), inputs };
}

/** Runs `read` and tells what it hung on; the observation around it sees the same. */
export function observe<T>(
  evaluation: Evaluation,
  read: () => T,
): { readonly result: T; readonly inputs: readonly string[]; readonly isVolatile: boolean } {
  const outer = { inputs: evaluation.inputs, isVolatile: evaluation.isVolatile };
  evaluation.inputs = new Set();
  evaluation.isVolatile = false;
  try {
    const result = read();
    return { result, inputs: [...evaluation.inputs], isVolatile: evaluation.isVolatile };
  } finally {
    for (const input of evaluation.inputs) outer.inputs.add(input);
    evaluation.isVolatile ||= outer.isVolatile;
    evaluation.inputs = outer.inputs;
  }
}
