import { complete } from "../complete.ts";
import type { WaitState } from "../definition.ts";
import { StatesError } from "../errors.ts";
import { readNumber } from "../field-numbers.ts";
import { evaluate, evaluationFailed } from "../jsonata.ts";
import { read, type Scope, select } from "../jsonpath.ts";
import type { Json } from "../json.ts";
import { failure, type Outcome, type Visit } from "../run.ts";
import { sleepUntil } from "../timers.ts";
import { readTimestamp } from "../timestamps.ts";

/** Waits for a number of seconds or until a moment; the moment is journalled. https://states-language.net/#wait-state */
export async function runWait(visit: Visit<WaitState>): Promise<Outcome> {
  const { QueryLanguage, InputPath } = visit.state;
  const data = QueryLanguage === "JSONata" ? visit.input : select(InputPath, { visit, data: visit.input });
  const untilMs = await visit.run.journal.once(`${visit.path}#until`, () => dueMs(visit, { visit, data }));
  await sleepUntil(visit.run.clock, untilMs, visit.frame.signal);
  return complete(visit, { value: data, isWork: false });
}

async function dueMs(visit: Visit<WaitState>, scope: Scope): Promise<number> {
  const { Seconds, SecondsPath } = visit.state;
  const seconds = await readNumber(scope, { field: "Seconds", value: Seconds, path: SecondsPath });
  if (seconds !== undefined) return visit.enteredAt.getTime() + seconds * 1_000;
  return timestampMs(visit, scope);
}

async function timestampMs(visit: Visit<WaitState>, scope: Scope): Promise<number> {
  const { QueryLanguage, Timestamp, TimestampPath } = visit.state;
  if (QueryLanguage === "JSONata") {
    const text = await evaluate(Timestamp ?? null, "Timestamp", { visit });
    const ms = readText(text);
    if (ms === undefined) throw evaluationFailed(visit, "Timestamp", `The Timestamp ${JSON.stringify(text)} is not ${FORMAT}.`);
    return ms;
  }
  const text = TimestampPath === undefined ? (Timestamp ?? null) : read(TimestampPath, scope);
  const ms = readText(text);
  if (ms !== undefined) return ms;
  const subject = TimestampPath === undefined ? "The Timestamp parameter is" : "The TimestampPath parameter does not reference";
  const shown = typeof text === "string" ? text : JSON.stringify(text);
  throw failure(
    visit,
    StatesError.runtime,
    `${subject}${TimestampPath === undefined ? " not" : ""} ${FORMAT}: ${TimestampPath ?? "Timestamp"} == ${shown}`,
  );
}

const FORMAT = "a valid ISO-8601 extended offset date-time format string";

const readText = (value: Json): number | undefined => (typeof value === "string" ? readTimestamp(value) : undefined);
