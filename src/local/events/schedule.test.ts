import { expect, test } from "vitest";
import { InvalidSchedule, parseSchedule } from "./schedule.ts";

const next = (expression: string, after: string) => parseSchedule(expression)(new Date(after))?.toISOString();

test.each([
  ["rate(1 minute)", "2026-01-01T00:00:30Z", "2026-01-01T00:01:30.000Z"],
  ["rate(40 days)", "2026-01-01T00:00:00Z", "2026-02-10T00:00:00.000Z"],
  ["cron(0 10 * * ? *)", "2026-01-01T10:00:00Z", "2026-01-02T10:00:00.000Z"],
  ["cron(15 12 * * ? *)", "2026-01-01T10:00:00Z", "2026-01-01T12:15:00.000Z"],
  ["cron(0 18 ? * MON-FRI *)", "2026-01-02T18:00:00Z", "2026-01-05T18:00:00.000Z"],
  ["cron(0 8 1 * ? *)", "2026-01-02T00:00:00Z", "2026-02-01T08:00:00.000Z"],
  ["cron(0/10 * ? * MON-FRI *)", "2026-01-05T00:09:59Z", "2026-01-05T00:10:00.000Z"],
  ["cron(0/5 8-17 ? * MON-FRI *)", "2026-01-05T17:55:00Z", "2026-01-06T08:00:00.000Z"],
  ["cron(0 0 L * ? *)", "2028-02-01T00:00:00Z", "2028-02-29T00:00:00.000Z"],
  ["cron(0 0 ? * 3#2 *)", "2026-01-01T00:00:00Z", "2026-01-13T00:00:00.000Z"],
  ["cron(0 0 ? * 6L *)", "2026-01-01T00:00:00Z", "2026-01-30T00:00:00.000Z"],
  ["cron(0 0 1 JAN,jul ? 2027)", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00.000Z"],
  ["cron(0 0 1 1 ? 2020)", "2026-01-01T00:00:00Z", undefined],
])("%s after %s", (expression, after, expected) => expect(next(expression, after)).toBe(expected));

test.each([
  "rate(1 minutes)",
  "rate(5 minute)",
  "rate(0 days)",
  "cron(* * * * *)",
  "cron(0 0 * * * *)",
  "cron(60 0 * * ? *)",
  "cron(0 0 15W * ? *)",
  "every day",
])("%s is refused", (expression) => {
  expect(() => parseSchedule(expression)).toThrow(InvalidSchedule);
});
