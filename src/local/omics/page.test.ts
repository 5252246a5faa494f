import { expect, test } from "vitest";
import { pageOf, type PageRequest } from "./page.ts";

const request = (more: Partial<PageRequest<string>> = {}): PageRequest<string> => ({
  of: "ListRuns",
  prefix: ["a", "r"],
  maxResults: 2,
  read: ({ after, limit = 0 }) => {
    const all = ["5", "4", "3", "2", "1"].map((id) => ({ key: ["a", "r", id], value: id }));
    return all.slice(after === undefined ? 0 : all.findIndex(({ value }) => value === after[2]) + 1).slice(0, limit);
  },
  ...more,
});

test("pages follow each other, and the last has no token", () => {
  const first = pageOf(request());
  const second = pageOf(request({ startingToken: first.nextToken }));
  const third = pageOf(request({ startingToken: second.nextToken }));
  expect([first.items, second.items, third]).toEqual([["5", "4"], ["3", "2"], { items: ["1"] }]);
  expect(pageOf(request({ maxResults: 5 }))).toEqual({ items: ["5", "4", "3", "2", "1"] });
});

test("what a filter leaves out does not shorten a page", () => {
  const isOdd = { matches: (id: string) => Number(id) % 2 === 1 };
  const first = pageOf(request(isOdd));
  expect([first.items, pageOf(request({ ...isOdd, startingToken: first.nextToken }))]).toEqual([["5", "3"], { items: ["1"] }]);
});

test.each([
  ["of another operation", { of: "ListRunGroups" }],
  ["of another account", { prefix: ["b", "r"] }],
  ["for other filters", { filters: { status: "FAILED" } }],
])("a token is refused %s", (_what, other) => {
  const { nextToken } = pageOf(request());
  expect(() => pageOf(request({ ...other, startingToken: nextToken }))).toThrow(expect.objectContaining({ code: "ValidationException" }));
});

test.each(["made-up", "eyJhIjoxfQ", "W10", "🧬"])("the token %s is refused", (startingToken) => {
  expect(() => pageOf(request({ startingToken }))).toThrow(/is not one that ListRuns gave for these filters/);
});

test("a filter that is null is none", () => {
  const { nextToken } = pageOf(request({ filters: { status: null } }));
  expect(pageOf(request({ filters: {}, startingToken: nextToken })).items).toEqual(["3", "2"]);
});
