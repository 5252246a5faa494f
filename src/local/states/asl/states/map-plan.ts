import type { MapState } from "../definition.ts";
import { StatesError } from "../errors.ts";
import { readNumber } from "../field-numbers.ts";
import { evaluate, evaluationFailed } from "../jsonata.ts";
import { fill, read, type Scope, select } from "../jsonpath.ts";
import { isArray, type Json } from "../json.ts";
import { failure, type Frame, type Visit } from "../run.ts";

/** The most iterations that run at once in an inline Map. https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html */
const MOST_AT_ONCE = 40;

/** What an attempt of a Map state is to do. */
export interface MapPlan {
  readonly items: readonly Json[];
  readonly atOnce: number;
  readonly hasTolerance: boolean;
  readonly toleratedCount: number;
  readonly toleratedPercentage: number;
}

/** Evaluates the fields of a Map state. @throws StateFailed when one can't be evaluated */
export async function planMap(visit: Visit<MapState>): Promise<MapPlan> {
  const { state } = visit;
  const scope = { visit, data: effectiveInput(visit) };
  const atOnce = await readNumber(scope, { field: "MaxConcurrency", value: state.MaxConcurrency, path: state.MaxConcurrencyPath });
  const count = await readNumber(scope, {
    field: "ToleratedFailureCount",
    value: state.ToleratedFailureCount,
    path: state.ToleratedFailureCountPath,
  });
  const percentage = await readNumber(scope, {
    field: "ToleratedFailurePercentage",
    value: state.ToleratedFailurePercentage,
    path: state.ToleratedFailurePercentagePath,
  });
  return {
    items: await itemsOf(scope, state),
    atOnce: atOnce === undefined || atOnce === 0 ? MOST_AT_ONCE : Math.min(atOnce, MOST_AT_ONCE),
    hasTolerance: count !== undefined || percentage !== undefined,
    toleratedCount: count ?? 0,
    toleratedPercentage: percentage ?? 0,
  };
}

const effectiveInput = (visit: Visit<MapState>): Json =>
  visit.state.QueryLanguage === "JSONata" ? visit.input : select(visit.state.InputPath, { visit, data: visit.input });

async function itemsOf(scope: Scope, { QueryLanguage, Items, ItemsPath }: MapState): Promise<readonly Json[]> {
  const { visit } = scope;
  if (QueryLanguage === "JSONata") {
    const items = Items === undefined ? visit.input : await evaluate(Items, "Items", { visit });
    if (!isArray(items)) throw evaluationFailed(visit, "Items", "The Items field must be an array.");
    return items;
  }
  const path = ItemsPath ?? "$";
  const items = read(path, scope);
  if (!isArray(items)) throw failure(visit, StatesError.runtime, `Reference path "${path}" must point to array.`);
  return items;
}

/** What one iteration is given: the item, or what ItemSelector makes of it. @throws StateFailed when ItemSelector fails */
export async function itemInput(visit: Visit<MapState>, item: NonNullable<Frame["item"]>): Promise<Json> {
  const { ItemSelector, QueryLanguage } = visit.state;
  if (ItemSelector === undefined) return item.Value;
  if (QueryLanguage === "JSONata") return evaluate(ItemSelector, "ItemSelector", { visit, item });
  return fill(ItemSelector, { visit, data: effectiveInput(visit), item });
}
