/** A schedule that EventBridge would refuse, or that is not supported here. The message says why. */
export class InvalidSchedule extends Error {
  override readonly name = "InvalidSchedule";
}

/** When a schedule fires next, strictly after a moment; undefined when never again. Times are UTC. */
export type Schedule = (after: Date) => Date | undefined;

const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads `rate(5 minutes)` or `cron(0 12 * * ? *)`.
 * @throws InvalidSchedule
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function parseSchedule(expression: string): Schedule {
  const rate = /^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate !== null) return parseRate(expression, rate);
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== 6) throw new InvalidSchedule(`"${expression}" is neither rate(…) nor cron(…) with six fields`);
  return parseCron(fields);
}

function parseRate(expression: string, [, count = "", unit = "", plural]: RegExpExecArray): Schedule {
  if ((count === "1") !== (plural === "")) throw new InvalidSchedule(`"${expression}": one ${unit}, or several ${unit}s`);
  const periodMs = Number(count) * (UNITS[unit] ?? 0);
  return (after) => new Date(after.getTime() + periodMs);
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const LAST_YEAR = 2199;

function parseCron([minutes = "", hours = "", dates = "", months = "", days = "", years = ""]: readonly string[]): Schedule {
  if ((dates === "?") === (days === "?")) throw new InvalidSchedule("exactly one of day-of-month and day-of-week must be ?");
  const isMinute = values(minutes, { least: 0, most: 59 });
  const isHour = values(hours, { least: 0, most: 23 });
  const isMonth = values(months, { least: 1, most: 12, names: MONTHS, first: 1 });
  const isYear = values(years, { least: 1970, most: LAST_YEAR });
  const isDay = days === "?" ? dayOfMonth(dates) : dayOfWeek(days);
  const isOn = (day: Date) => isYear(day.getUTCFullYear()) && isMonth(day.getUTCMonth() + 1) && isDay(day);
  return (after) => nextMoment(after, { isOn, isHour, isMinute });
}

interface Moments {
  isOn(day: Date): boolean;
  isHour(hour: number): boolean;
  isMinute(minute: number): boolean;
}

/** Looks through the days, then through the minutes of the first that fits. */
function nextMoment(after: Date, { isOn, isHour, isMinute }: Moments): Date | undefined {
  const from = Math.floor(after.getTime() / 60_000) * 60_000 + 60_000;
  const firstDay = Math.floor(from / 86_400_000) * 86_400_000;
  for (let day = firstDay; new Date(day).getUTCFullYear() <= LAST_YEAR; day += 86_400_000) {
    if (!isOn(new Date(day))) continue;
    for (let at = Math.max(day, from); at < day + 86_400_000; at += 60_000) {
      const minuteOfDay = (at - day) / 60_000;
      if (isHour(Math.floor(minuteOfDay / 60)) && isMinute(minuteOfDay % 60)) return new Date(at);
    }
  }
  return undefined;
}

interface Field {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
  /** What the first name stands for. */
  readonly first?: number;
}

/** `*`, `5`, `1-5`, `0/10`, `1-30/5`, `MON-FRI`, and lists of them. */
function values(text: string, field: Field): (value: number) => boolean {
  const parts = text.split(",").map((part) => range(part, field));
  return (value) => parts.some(({ from, to, step }) => value >= from && value <= to && (value - from) % step === 0);
}

function range(text: string, field: Field): { from: number; to: number; step: number } {
  const [span = "", step = "1"] = text.split("/");
  if (!/^[1-9]\d*$/.test(step)) throw new InvalidSchedule(`"${text}" is not a step`);
  if (span === "*") return { from: field.least, to: field.most, step: Number(step) };
  const [from = "", to] = span.split("-");
  const first = number(from, field);
  const open = text.includes("/") ? field.most : first;
  return { from: first, to: to === undefined ? open : number(to, field), step: Number(step) };
}

function number(text: string, { least, most, names = [], first = 0 }: Field): number {
  const named = names.indexOf(text.toUpperCase());
  const given = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  const value = named >= 0 ? named + first : given;
  if (value >= least && value <= most) return value;
  throw new InvalidSchedule(`"${text}" is not between ${least} and ${most}`);
}

const daysInMonth = (day: Date) => new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();

function dayOfMonth(text: string): (day: Date) => boolean {
  if (text === "L") return (day) => day.getUTCDate() === daysInMonth(day);
  if (text.endsWith("W")) throw new InvalidSchedule(`"${text}": the nearest weekday (W) is not supported here`);
  const isDate = values(text, { least: 1, most: 31 });
  return (day) => isDate(day.getUTCDate());
}

/** 1 is Sunday. `3#2` is the second Tuesday, `6L` the last Friday. */
function dayOfWeek(text: string): (day: Date) => boolean {
  const field = { least: 1, most: 7, names: DAYS, first: 1 };
  const nth = /^(\w+)#([1-5])$/.exec(text);
  if (nth !== null) {
    const wanted = number(nth[1] ?? "", field);
    return (day) => day.getUTCDay() + 1 === wanted && Math.ceil(day.getUTCDate() / 7) === Number(nth[2]);
  }
  if (/^\w+L$/.test(text)) {
    const wanted = number(text.slice(0, -1), field);
    return (day) => day.getUTCDay() + 1 === wanted && day.getUTCDate() + 7 > daysInMonth(day);
  }
  const isDay = values(text === "L" ? "7" : text, field);
  return (day) => isDay(day.getUTCDay() + 1);
}
