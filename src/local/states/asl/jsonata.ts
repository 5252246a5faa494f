import jsonata from "jsonata";
import { StatesError } from "./errors.ts";
import { hash, seededFraction } from "./intrinsics.ts";
import { isArray, isObject, type Json, type JsonObject, parseJson } from "./json.ts";
import { randomFraction } from "./random-fraction.ts";
import { contextObject, failure, type Frame, type Run, type Visit } from "./run.ts";

/** How long one expression may take, in milliseconds; without a limit a recursion without end would stop the process. */
const EVALUATION_LIMIT_MS = 1_000;
const CACHE_SIZE = 2_000;
const EXPRESSION = /^\{%([\s\S]*)%\}$/;

const compiled = new Map<string, jsonata.Expression>();

/** What `$states` holds besides the input and the context. */
export interface Evaluation {
  readonly visit: Visit;
  readonly result?: Json;
  readonly errorOutput?: Json;
  /** The item of a Map state whose ItemSelector is evaluated. */
  readonly item?: Frame["item"];
}

/** Whether the value is one JSONata expression, `{% … %}`. */
export const isExpression = (value: unknown): value is string => typeof value === "string" && EXPRESSION.test(value);

/**
 * The value with each `{% … %}` in it evaluated; `field` names it in errors.
 * @throws StateFailed with States.QueryEvaluationError, after the event EvaluationFailed
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
 */
export async function evaluate(value: Json, field: string, evaluation: Evaluation): Promise<Json> {
  if (isArray(value)) {
    const items: Json[] = [];
    for (const [index, item] of value.entries()) items.push(await evaluate(item, `${field}[${index}]`, evaluation));
    return items;
  }
  if (isObject(value)) return evaluateObject(value, field, evaluation);
  const source = typeof value === "string" ? EXPRESSION.exec(value)?.[1] : undefined;
  return source === undefined ? value : evaluateExpression(source.trim(), field, evaluation);
}

/** The same for an object, so that its result is one. */
export async function evaluateObject(value: JsonObject, field: string, evaluation: Evaluation): Promise<JsonObject> {
  const members: [string, Json][] = [];
  for (const [name, member] of Object.entries(value)) members.push([name, await evaluate(member, `${field}/${name}`, evaluation)]);
  return Object.fromEntries(members);
}

async function evaluateExpression(source: string, field: string, evaluation: Evaluation): Promise<Json> {
  const place = `The JSONata expression '${source}' specified for the field '${field}'`;
  let value: unknown;
  try {
    value = await compileOnce(source).evaluate(undefined, bindings(evaluation));
  } catch (error) {
    throw evaluationFailed(evaluation.visit, field, `${place} threw an error during evaluation. ${describe(error)}`);
  }
  if (value === undefined) throw evaluationFailed(evaluation.visit, field, `${place} returned nothing (undefined).`);
  const plain = toJson(value);
  if (plain === undefined) throw evaluationFailed(evaluation.visit, field, `${place} returned an unsupported result type.`);
  return plain;
}

/** A failure of a JSONata field, told in the history as EvaluationFailed. */
export function evaluationFailed(visit: Visit, field: string, text: string): Error {
  const failed = failure(visit, StatesError.queryEvaluationError, text);
  const { error, cause } = failed.failure;
  const { run, frame } = visit;
  const entry = run.journal.event(`${visit.path}/a${visit.retryCount}#evaluation ${field}`, frame.lastEventId, {
    type: "EvaluationFailed",
    evaluationFailedEventDetails: { error, cause, location: field, state: visit.name },
  });
  frame.lastEventId = entry.event.id;
  return failed;
}

function compileOnce(source: string): jsonata.Expression {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const expression = jsonata(source, { timeout: EVALUATION_LIMIT_MS });
  if (compiled.size >= CACHE_SIZE) compiled.clear();
  compiled.set(source, expression);
  return expression;
}

function bindings({ visit, result, errorOutput, item }: Evaluation): Record<string, unknown> {
  const states = {
    input: visit.input,
    context: contextObject(visit, item ?? visit.frame.item),
    ...(result === undefined ? {} : { result }),
    ...(errorOutput === undefined ? {} : { errorOutput }),
  };
  return { ...functions(visit.run), ...visit.frame.variables, states };
}

const NOW = jsonata("$fromMillis($ms, $picture, $timezone)");

/** Step Functions' own functions, and those of JSONata that read the time or are not allowed. */
function functions({ random, clock }: Run): Record<string, unknown> {
  const nowMs = () => clock.now().getTime();
  return {
    partition,
    range,
    hash: (data: Json, algorithm: Json) => hash(data, algorithm),
    random: (seed?: number) => (seed === undefined ? randomFraction(random) : seededFraction(seed)),
    uuid: () => random.uuid(),
    parse: (text: string) => parseJson(text),
    millis: nowMs,
    now: (picture?: string, timezone?: string) => NOW.evaluate(undefined, { ms: nowMs(), picture, timezone }),
    eval: () => {
      throw new Error("$eval is not supported: use $parse to read JSON");
    },
  };
}

function partition(list: readonly Json[], size: number): Json {
  if (!isArray(list) || !(size >= 1)) throw new Error("$partition needs an array and a positive size");
  const length = Math.floor(size);
  return Array.from({ length: Math.ceil(list.length / length) }, (_, part) => list.slice(part * length, (part + 1) * length));
}

function range(first: number, last: number, step: number): Json {
  if (![first, last, step].every(Number.isFinite) || step === 0) throw new Error("$range needs three numbers, the last of them not 0");
  const length = Math.max(0, Math.floor((last - first) / step) + 1);
  if (length > 1_000) throw new Error(`$range makes at most 1000 items, not ${length}`);
  return Array.from({ length }, (_, index) => first + index * step);
}

/** Plain JSON without JSONata's marks; undefined when the value has no JSON (a function). */
function toJson(value: unknown): Json | undefined {
  if (typeof value === "function" || (isObject(value) && "_jsonata_lambda" in value)) return undefined;
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : parseJson(text);
}

function describe(error: unknown): string {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return code === undefined ? String(message) : `${code}: ${message}`;
}
