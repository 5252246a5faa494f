import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openDatabase } from "./database.ts";

interface Run {
  readonly name: string;
  readonly group?: string;
}

const folder = mkdtempSync(join(tmpdir(), "omx-db-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of its own for each test. */
const fresh = (): string => join(mkdtempSync(join(folder, "one-")), "state.sqlite");

test("lists what starts with the same parts, and nothing of a longer name", () => {
  const runs = openDatabase(fresh()).collection<Run>("runs");
  runs.put(["1", "eu", "a"], { name: "a" });
  runs.put(["1", "eu-2", "b"], { name: "b" });
  runs.put(["1", "eu", "a b/c"], { name: "c" });
  expect(runs.list(["1", "eu"]).map((entry) => entry.value.name)).toEqual(["a", "c"]);
  expect(runs.list(["1"]).length).toBe(3);
  expect(runs.list([]).length).toBe(3);
  expect(runs.count(["1", "eu"])).toBe(2);
});

test("pages in both directions", () => {
  const runs = openDatabase(fresh()).collection<Run>("runs");
  for (const id of ["1", "2", "3"]) runs.put(["x", id], { name: id });
  expect(runs.list(["x"], { after: ["x", "1"], limit: 1 }).map((e) => e.value.name)).toEqual(["2"]);
  expect(runs.list(["x"], { reverse: true, limit: 2 }).map((e) => e.value.name)).toEqual(["3", "2"]);
  expect(runs.list(["x"], { reverse: true, after: ["x", "2"] }).map((e) => e.value.name)).toEqual(["1"]);
});

test("an index added later finds documents that were there before", () => {
  const file = fresh();
  const before = openDatabase(file);
  before.collection<Run>("runs").put(["1"], { name: "a", group: "g" });
  before.close();
  const runs = openDatabase(file).collection<Run>("runs", { group: (run) => run.group });
  expect(runs.find("group", "g").map((e) => e.value.name)).toEqual(["a"]);
  expect(runs.find("group", "h")).toEqual([]);
});

test("a transaction that throws leaves nothing behind, an inner one included", () => {
  const database = openDatabase(fresh());
  const runs = database.collection<Run>("runs");
  expect(() =>
    database.transaction(() => {
      runs.put(["1"], { name: "a" });
      database.transaction(() => runs.put(["2"], { name: "b" }));
      throw new Error("stop");
    }),
  ).toThrow("stop");
  expect(runs.list([])).toEqual([]);
});

test("insert refuses a taken key", () => {
  const runs = openDatabase(fresh()).collection<Run>("runs");
  expect(runs.insert(["1"], { name: "a" })).toBe(true);
  expect(runs.insert(["1"], { name: "b" })).toBe(false);
  expect(runs.get(["1"])?.name).toBe("a");
});
