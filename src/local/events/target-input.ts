import { compile, type JSONValue } from "json-p3";
import type { InputTransformer, Target } from "@aws-sdk/client-eventbridge";

/** An event as targets see it. */
export interface BusEvent {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  /** ISO time, whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What `<aws.events.…>` stands for in a template. */
export interface RuleNames {
  readonly ruleArn: string;
  readonly ruleName: string;
}

/**
 * What a target is given: the event, its Input, what InputPath finds (JSON null when nothing), or its InputTransformer's text.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export function targetInput(target: Pick<Target, "Input" | "InputPath" | "InputTransformer">, event: BusEvent, rule: RuleNames): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(find(event, target.InputPath) ?? null);
  if (target.InputTransformer !== undefined) return transform(target.InputTransformer, event, rule);
  return JSON.stringify(event);
}

/** The first value at a path. @throws JSONPathSyntaxError */
function find(event: BusEvent, path: string): unknown {
  return compile(path)
    .query(event as unknown as JSONValue)
    .values()[0];
}

/** Whether the path can be read. */
export function isPath(path: string): boolean {
  try {
    compile(path);
    return true;
  } catch {
    return false;
  }
}

function transform(
  { InputPathsMap = {}, InputTemplate = "" }: InputTransformer,
  event: BusEvent,
  { ruleArn, ruleName }: RuleNames,
): string {
  const values = new Map<string, unknown>(Object.entries(InputPathsMap).map(([name, path]) => [name, find(event, path)]));
  values.set("aws.events.rule-arn", ruleArn).set("aws.events.rule-name", ruleName).set("aws.events.event.ingestion-time", event.time);
  values.set("aws.events.event", event).set("aws.events.event.json", event);
  return substitute(InputTemplate, values);
}

/** In quotes a value's text is put, elsewhere its JSON; a value that is not there leaves nothing in quotes, elsewhere null. */
function substitute(template: string, values: ReadonlyMap<string, unknown>): string {
  let isQuoted = false;
  return template.replaceAll(/\\[\s\S]|"|<([\w.-]+)>/g, (found, name: string | undefined) => {
    if (found === '"') isQuoted = !isQuoted;
    if (name === undefined || !values.has(name)) return found;
    const value = values.get(name);
    if (!isQuoted) return JSON.stringify(value ?? null);
    if (value === undefined) return "";
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return JSON.stringify(text).slice(1, -1);
  });
}
