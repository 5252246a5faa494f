import { describe, expect, test } from "vitest";
import { openDatabase } from "../storage/database.ts";
import { withLists } from "./lists.ts";

interface Sample {
  readonly name?: string;
  readonly status: string;
  readonly text: string;
}

const sample = (status: string, name?: string): Sample => ({ status, text: "large".repeat(100), ...(name !== undefined && { name }) });

const key = (id: string, region = "r"): readonly string[] => ["a", region, id];

function open(database = openDatabase(":memory:")) {
  return withLists(database, "samples", {
    documents: database.collection<Sample>("samples"),
    itemOf: ({ name, status }) => ({ status, ...(name !== undefined && { name }) }),
    lists: { name: ({ name }) => name, status: ({ status }) => status },
    indexes: { active: ({ status }) => (status === "RUNNING" ? "yes" : undefined) },
    countedBy: 2,
  });
}

const ids = (entries: readonly { readonly key: readonly string[] }[]): readonly string[] => entries.map((entry) => entry.key.at(-1) ?? "");

describe("a collection with lists", () => {
  test("a document is in the lists of what it is now, and leaves those of what it was", () => {
    const all = open();
    for (const id of ["1", "2", "3"]) all.put(key(id), sample("RUNNING", "x"));
    all.put(key("2"), sample("DONE"));
    all.put(key("9", "elsewhere"), sample("DONE", "x"));
    const listed = (name: string, value: string) => ids(all.listBy({ scope: ["a", "r"], name, value }, { reverse: true }));
    expect([listed("status", "RUNNING"), listed("status", "DONE"), listed("name", "x")]).toEqual([["3", "1"], ["2"], ["3", "1"]]);
    expect(ids(all.items.find("active", "yes"))).toEqual(["1", "3"]);
    expect(all.listBy({ scope: ["a", "r"], name: "status", value: "DONE" })).toEqual([{ key: key("2"), value: { status: "DONE" } }]);
  });

  test("pages of a list go on after a document that was deleted", () => {
    const all = open();
    for (const id of ["1", "2", "3", "4"]) all.put(key(id), sample("DONE"));
    all.delete(key("3"));
    expect(ids(all.listBy({ scope: ["a", "r"], name: "status", value: "DONE" }, { reverse: true, after: key("3") }))).toEqual(["2", "1"]);
  });

  test("documents are counted where they are counted by", () => {
    const all = open();
    for (const id of ["1", "2"]) all.put(key(id), sample("RUNNING"));
    all.put(key("1"), sample("DONE"));
    expect([all.insert(key("2"), sample("DONE")), all.insert(key("3"), sample("DONE"))]).toEqual([false, true]);
    expect([all.delete(key("1")), all.delete(key("1"))]).toEqual([true, false]);
    expect([all.count(["a", "r"]), all.count(["a", "elsewhere"]), all.count(["a"])]).toEqual([2, 0, 2]);
  });

  test("documents of a database from before there were items get theirs", () => {
    const database = openDatabase(":memory:");
    const before = database.collection<Sample>("samples");
    for (const id of ["1", "2"]) before.put(key(id), sample("DONE", id));
    const all = open(database);
    expect([
      ids(all.items.list(["a", "r"])),
      ids(all.listBy({ scope: ["a", "r"], name: "name", value: "2" })),
      all.count(["a", "r"]),
    ]).toEqual([["1", "2"], ["2"], 2]);
  });
});
