import type { TaskState } from "../definition.ts";
import { readNumber } from "../field-numbers.ts";
import { evaluate } from "../jsonata.ts";
import { fill, select } from "../jsonpath.ts";
import type { EventEntry } from "../journal.ts";
import { isObject, type Json } from "../json.ts";
import { attemptPath, emit, type Visit } from "../run.ts";
import { type Scheduled, scheduledParameters, type TaskEvents, waitsForToken } from "../task-events.ts";

/** Everything an attempt is begun with; recorded, so that a resumed attempt is begun with the same. */
export interface TaskPlan extends Scheduled {
  readonly token: string | undefined;
}

/** The plan of the visit's present attempt and the event that told it. @throws StateFailed when a field can't be evaluated */
export async function planTask(visit: Visit<TaskState>, events: TaskEvents): Promise<{ plan: TaskPlan; scheduled: EventEntry }> {
  const known = visit.run.journal.findEvent(`${attemptPath(visit)}#scheduled`);
  if (known !== undefined) return recall(visit, known);
  visit.taskToken = waitsForToken(visit.state.Resource) ? visit.run.random.hex(96) : undefined;
  const plan = await evaluatePlan(visit);
  const { parameters: _parameters, ...rest } = plan;
  const memo = Object.fromEntries(Object.entries(rest).filter((member): member is [string, string | number] => member[1] !== undefined));
  return { plan, scheduled: emit(visit, "scheduled", events.scheduled(plan), memo) };
}

function recall(visit: Visit<TaskState>, known: EventEntry): { plan: TaskPlan; scheduled: EventEntry } {
  const absent = { timeoutSeconds: undefined, heartbeatSeconds: undefined, roleArn: undefined, token: undefined };
  const plan: TaskPlan = { ...absent, ...(known.memo as object), parameters: scheduledParameters(known.event) };
  visit.taskToken = plan.token;
  visit.frame.lastEventId = known.event.id;
  return { plan, scheduled: known };
}

async function evaluatePlan(visit: Visit<TaskState>): Promise<TaskPlan> {
  const { state } = visit;
  const isJsonata = state.QueryLanguage === "JSONata";
  const data = isJsonata ? visit.input : select(state.InputPath, { visit, data: visit.input });
  const scope = { visit, data };
  return {
    parameters: isJsonata ? await parametersByJsonata(visit) : parametersByJsonpath(scope),
    timeoutSeconds: await readNumber(scope, {
      field: "TimeoutSeconds",
      value: state.TimeoutSeconds,
      path: state.TimeoutSecondsPath,
      least: 1,
    }),
    heartbeatSeconds: await readNumber(scope, {
      field: "HeartbeatSeconds",
      value: state.HeartbeatSeconds,
      path: state.HeartbeatSecondsPath,
      least: 1,
    }),
    roleArn: roleOf(await credentials(visit, data)),
    token: visit.taskToken,
  };
}

const parametersByJsonata = async (visit: Visit<TaskState>): Promise<Json> =>
  visit.state.Arguments === undefined ? visit.input : evaluate(visit.state.Arguments, "Arguments", { visit });

const parametersByJsonpath = ({ visit, data }: { readonly visit: Visit<TaskState>; readonly data: Json }): Json =>
  visit.state.Parameters === undefined ? data : fill(visit.state.Parameters, { visit, data });

async function credentials(visit: Visit<TaskState>, data: Json): Promise<Json> {
  const { Credentials, QueryLanguage } = visit.state;
  if (Credentials === undefined) return null;
  return QueryLanguage === "JSONata" ? evaluate(Credentials, "Credentials", { visit }) : fill(Credentials, { visit, data });
}

function roleOf(value: Json): string | undefined {
  const role = isObject(value) ? value["RoleArn"] : undefined;
  return typeof role === "string" ? role : undefined;
}
