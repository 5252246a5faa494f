import type { ImageOrigin } from "../../inspection.ts";
import type { Compound, Declaration, Expr, Statement } from "../syntax/ast.ts";
import type { Token } from "../syntax/tokens.ts";
import { interpolated } from "../syntax/interpolation.ts";
import { snapshot } from "./bounds.ts";
import { bodyScope } from "./calls.ts";
import { evaluate, paramName } from "./evaluate.ts";
import { joined, MOST_CHOICES, plain, through, type Span } from "./joined.ts";
import { assign, inner, observe, sourceText, unknown, variable } from "./scope.ts";
import type { Choice, Evaluation, Scope } from "./types.ts";
import { switchSides, type SwitchSide } from "./switches.ts";
import { firstKnown, isClosure, isList, isMap, isUnknown, known, textOf, truth } from "./values.ts";

/** Enough for the largest pipelines a hundred times over. */
const STEPS = 5_000_000;

/** The start of a reading: nothing observed, all work allowed. */
export const newEvaluation = (): Evaluation => ({
  steps: STEPS,
  calls: 0,
  ways: 1,
  opened: 0,
  inputs: new Set(),
  isVolatile: false,
  value: evaluate,
  run: (body, scope) => chooseBody(body, scope)[0]?.value ?? null,
});

/**
 * Every value an expression may have, the default first. A branch that only another parameter, engine or
 * profile would take carries its condition; a condition that always holds leaves one value.
 */
export function choose(expr: Expr, scope: Scope): readonly Choice[] {
  switch (expr.kind) {
    case "ternary":
      return chooseBranch(expr, scope);
    case "elvis":
      return chooseElvis(expr, scope);
    case "template":
      return chooseText(expr.parts, expr, scope);
    case "binary":
      return expr.operator === "+" ? chooseSum(expr, scope) : [single(expr, scope)];
    case "name":
      return (variable(scope, expr.name) ?? [single(expr, scope)]).flatMap((each) => opened(each, scope)).map(through("variable"));
    case "closure":
      return chooseBody(expr.body, inner(scope)).map(through("closure"));
    case "call":
      return chooseCall(expr, scope);
    default:
      return opened(single(expr, scope), scope);
  }
}

function single(expr: Expr, scope: Scope): Choice {
  const { result, inputs } = observe(scope.evaluation, () => evaluate(expr, scope));
  return { value: result, conditions: [], inputs, how: originOf(expr, inputs, scope), file: scope.file, offset: expr.start };
}

function originOf(expr: Expr, inputs: readonly string[], scope: Scope): ImageOrigin {
  if (inputs.length > 0) return "default";
  if (expr.kind === "literal") return "literal";
  return (expr.kind === "property" && paramName(expr, scope) === undefined) || expr.kind === "index" ? "member" : "variable";
}

/** A closure in a value's place is called for it, as Nextflow does with a directive. */
function opened(choice: Choice, scope: Scope): readonly Choice[] {
  if (!isClosure(choice.value)) return [choice];
  const { closure, scope: written } = choice.value;
  // A directive's closure sees the task of whoever asks, and the parameters of its script (tried with 24.10: what an
  // include adds counts in closures of the configuration as well).
  const seen = inner(written, { params: scope.params, builtin: (name) => firstKnown(scope.builtin(name), written.builtin(name)) });
  // A closure that gives itself would be called without an end.
  if (scope.evaluation.opened >= DEEPEST_OPENED) return [{ ...choice, value: unknown(scope, closure) }];
  scope.evaluation.opened++;
  try {
    return chooseBody(closure.body, seen).map(through("closure"));
  } finally {
    scope.evaluation.opened--;
  }
}

const DEEPEST_OPENED = 10;

/** Choices as a directive takes them: closures among them called, in the task of `scope`. */
export const openedChoices = (choices: readonly Choice[], scope: Scope): readonly Choice[] =>
  choices.flatMap((choice) =>
    opened(choice, scope).map((each) => ({
      ...each,
      conditions: [...choice.conditions, ...each.conditions],
      inputs: [...new Set([...choice.inputs, ...each.inputs])],
    })),
  );

function chooseBranch(expr: Extract<Expr, { kind: "ternary" }>, scope: Scope): readonly Choice[] {
  return branches(expr.condition, scope, (isThen) => choose(isThen ? expr.then : expr.otherwise, scope)).map(through("ternary"));
}

/** Both sides of a condition, the default side first; one side where it can't be otherwise. */
export function branches(condition: Expr, scope: Scope, side: (isThen: boolean) => readonly Choice[]): readonly Choice[] {
  const { result, inputs, isVolatile } = observe(scope.evaluation, () => evaluate(condition, scope));
  const isTrue = truth(result);
  if (isTrue !== undefined && !isVolatile) return side(isTrue);
  const text = sourceText(scope, condition);
  const when = (isThen: boolean): readonly Choice[] => {
    const conditions = isTrue === isThen ? [] : [isThen ? text : negation(text)];
    return side(isThen).map((choice) => ({
      ...choice,
      conditions: [...conditions, ...choice.conditions],
      inputs: [...new Set([...choice.inputs, ...inputs])],
    }));
  };
  const first = isTrue ?? true;
  const both = spread(scope.evaluation, 2, () => [...when(first), ...when(!first)].slice(0, MOST_CHOICES));
  return both ?? when(first);
}

/** Ways that may be followed at once: sixty conditions one after another have more than can ever be told. */
const MOST_WAYS = 256;

/** Follows so many ways more; undefined where they would be too many, and only the usual one is to be followed. */
function spread<T>(evaluation: Evaluation, ways: number, follow: () => T): T | undefined {
  const before = evaluation.ways;
  if (before * ways > MOST_WAYS) return undefined;
  evaluation.ways = before * ways;
  try {
    return follow();
  } finally {
    evaluation.ways = before;
  }
}

/** The source of a condition's opposite. */
export const negation = (text: string): string =>
  /^!?[\w.]+$/.test(text) ? (text.startsWith("!") ? text.slice(1) : `!${text}`) : `!(${text})`;

function chooseElvis(expr: Extract<Expr, { kind: "elvis" }>, scope: Scope): readonly Choice[] {
  const { result, inputs } = observe(scope.evaluation, () => evaluate(expr.value, scope));
  const isTrue = truth(result);
  if (isTrue === true) return choose(expr.value, scope);
  const others = choose(expr.otherwise, scope).map((choice) => ({ ...choice, inputs: [...new Set([...choice.inputs, ...inputs])] }));
  if (isTrue === false) return others.map(through(inputs.length > 0 ? "default" : "variable"));
  const condition = negation(sourceText(scope, expr.value));
  return [...choose(expr.value, scope), ...others.map((choice) => ({ ...choice, conditions: [condition, ...choice.conditions] }))];
}

function chooseText(parts: readonly (string | readonly Token[])[], span: Span, scope: Scope): readonly Choice[] {
  let texts: readonly Choice[] = [plain("", span.start, scope)];
  for (const part of parts) {
    const expression = typeof part === "string" ? undefined : interpolated(part);
    const pieces: readonly Choice[] =
      typeof part === "string"
        ? [plain(part, span.start, scope)]
        : expression === undefined
          ? [plain(unknown(scope, span), span.start, scope)]
          : choose(expression, scope).flatMap((each) => opened(each, scope));
    texts = joined(texts, pieces, { scope, span });
  }
  return texts;
}

function chooseSum(expr: Extract<Expr, { kind: "binary" }>, scope: Scope): readonly Choice[] {
  const whole = single(expr, scope);
  if (typeof whole.value !== "string" && !isUnknown(whole.value)) return [whole];
  return joined(choose(expr.left, scope), choose(expr.right, scope), { scope, span: expr });
}

function chooseCall(expr: Extract<Expr, { kind: "call" }>, scope: Scope): readonly Choice[] {
  const name = expr.callee.kind === "name" ? expr.callee.name : undefined;
  const called = name === undefined ? undefined : scope.functions.get(name);
  if (called === undefined || scope.evaluation.calls >= 4) return [single(expr, scope)];
  scope.evaluation.calls++;
  try {
    const args = expr.args.map(({ value }) => choose(value, scope));
    return chooseBody(called.definition.body, bodyScope(called.scope, called.definition.parameters, args)).map(through("variable"));
  } finally {
    scope.evaluation.calls--;
  }
}

/** Every value that a function's or closure's body may give. */
export function chooseBody(body: readonly Statement[], scope: Scope): readonly Choice[] {
  for (const [at, statement] of body.entries()) {
    if (scope.evaluation.steps-- <= 0) break;
    const rest = body.slice(at + 1);
    if (statement.kind === "return") return statement.value === undefined ? [] : choose(statement.value, scope);
    if (statement.kind === "if") {
      return branches(statement.condition, scope, (isThen) =>
        chooseBody([...(isThen ? statement.then : statement.otherwise), ...rest], forked(scope)),
      );
    }
    if (statement.kind === "compound" && statement.word === "try") return chooseBody([...statement.always, ...rest], scope);
    if (statement.kind === "compound" && statement.word === "switch") return chooseSwitch(statement, rest, scope);
    if (statement.kind === "expression" && rest.length === 0) return choose(statement.expression, scope);
    execute(statement, scope);
  }
  return [];
}

function chooseSwitch(statement: Compound, rest: readonly Statement[], scope: Scope): readonly Choice[] {
  const sides = switchSides(statement, scope);
  if (sides.length === 0) return chooseBody(rest, scope);
  const chosen = (followed: readonly SwitchSide[]): readonly Choice[] =>
    followed.flatMap(({ body, condition, inputs }) =>
      chooseBody([...body, ...rest], forked(scope)).map((choice) => ({
        ...choice,
        conditions: [...(condition === undefined ? [] : [condition]), ...choice.conditions],
        inputs: [...new Set([...choice.inputs, ...inputs])],
      })),
    );
  const all = spread(scope.evaluation, Math.min(sides.length, MOST_CHOICES), () => chosen(sides.slice(0, MOST_CHOICES)));
  return (all ?? chosen(sides.slice(0, 1))).slice(0, MOST_CHOICES);
}

/** The same variables, to be changed without the other branch seeing it. */
const forked = (scope: Scope): Scope => ({ ...scope, variables: new Map(scope.variables) });

/** Runs a statement for the variables it sets. */
export function execute(statement: Statement, scope: Scope): void {
  if (statement.kind === "declaration") {
    declare(statement, scope);
  } else if (statement.kind === "function") {
    scope.functions.set(statement.name, { definition: statement, scope });
  } else if (statement.kind === "expression" && statement.expression.kind === "assignment" && statement.expression.operator === "=") {
    const { target, value } = statement.expression;
    if (target.kind === "name") assign(scope, target.name, bound(value, scope));
    else setMember(target, value, scope);
  } else if (statement.kind === "compound" && statement.word === "switch") {
    for (const each of switchSides(statement, scope)[0]?.body ?? []) execute(each, scope);
  } else if (statement.kind === "if") {
    executeIf(statement, scope);
  }
}

function declare({ names, value, start }: Declaration, scope: Scope): void {
  const [name] = names;
  if (names.length === 1 && name !== undefined) {
    scope.variables.set(name, value === undefined ? [plain(null, start, scope)] : bound(value, scope));
    return;
  }
  // `def (a, b) = [x, y]` takes a list apart.
  if (value === undefined) return;
  const items = value.kind === "list" ? value.items : undefined;
  const whole = items === undefined ? single(value, scope) : undefined;
  names.forEach((each, at) => {
    const item = items?.[at];
    if (item !== undefined) scope.variables.set(each, bound(item, scope));
    else if (whole !== undefined && isList(whole.value)) scope.variables.set(each, [{ ...whole, value: whole.value[at] ?? null }]);
  });
}

/** `images.x = …`, `images['x'] = …` where a variable holds a map. */
function setMember(target: Expr, value: Expr, scope: Scope): void {
  if ((target.kind !== "property" && target.kind !== "index") || target.object.kind !== "name") return;
  const map = variable(scope, target.object.name)?.[0]?.value;
  const key = target.kind === "index" ? target.index : target.name;
  const name = typeof key === "string" ? key : textOf(evaluate(key, scope));
  if (map === undefined || !isMap(map) || name === undefined) return;
  map.set(
    name,
    known(snapshot(evaluate(value, scope)), () => unknown(scope, value)),
  );
}

function executeIf(statement: Extract<Statement, { kind: "if" }>, scope: Scope): void {
  const { result, inputs, isVolatile } = observe(scope.evaluation, () => evaluate(statement.condition, scope));
  const isTrue = truth(result);
  const side = (isThen: boolean): readonly Statement[] => (isThen ? statement.then : statement.otherwise);
  if (isTrue !== undefined && !isVolatile) {
    for (const each of side(isTrue)) execute(each, scope);
    return;
  }
  const first = isTrue ?? true;
  const other = forked(scope);
  for (const each of side(!first)) execute(each, other);
  for (const each of side(first)) execute(each, scope);
  const text = sourceText(scope, statement.condition);
  const condition = first ? negation(text) : text;
  const also = (choice: Choice): Choice => ({
    ...choice,
    conditions: [condition, ...choice.conditions],
    inputs: [...new Set([...choice.inputs, ...inputs])],
  });
  for (const [name, choices] of other.variables) {
    const kept = scope.variables.get(name) ?? [];
    if (kept !== choices) scope.variables.set(name, [...kept, ...choices.map(also)].slice(0, MOST_CHOICES));
  }
}

/** A closure is kept as one, to be called where it is used. */
const bound = (value: Expr, scope: Scope): readonly Choice[] => (value.kind === "closure" ? [single(value, scope)] : choose(value, scope));
