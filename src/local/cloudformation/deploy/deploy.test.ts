import { describe, expect, test } from "vitest";
import { openBench } from "../testing/bench.ts";
import { continueRollback, startRollback } from "./start.ts";

const thing = (Properties: object = {}, more: object = {}) => ({ Type: "Test::Thing", Properties, ...more });
const principal = { kind: "root", account: "111122223333" as never } as const;

describe("creating a stack", () => {
  test("makes each resource after those it needs, and tells of it as CloudFormation does", async () => {
    const bench = openBench();
    const stack = await bench.create(
      { B: thing({ Name: { "Fn::GetAtt": "A.Arn" } }), A: thing({ Size: 1 }) },
      { outputs: { Where: { Value: { "Fn::Sub": "at ${B}" }, Export: { Name: "where" } } } },
    );
    expect(bench.events()).toEqual([
      "s CREATE_IN_PROGRESS",
      "A CREATE_IN_PROGRESS",
      "A CREATE_IN_PROGRESS",
      "A CREATE_COMPLETE",
      "B CREATE_IN_PROGRESS",
      "B CREATE_IN_PROGRESS",
      "B CREATE_COMPLETE",
      "s CREATE_COMPLETE",
    ]);
    expect(bench.reasons()).toEqual(["User Initiated", "Resource creation Initiated", "Resource creation Initiated"]);
    expect(stack).toMatchObject({
      status: "CREATE_COMPLETE",
      outputs: [{ key: "Where", value: expect.stringMatching(/^at s-B-/), exportName: "where" }],
    });
    expect([...bench.world.things.values()].map(({ properties }) => properties)).toContainEqual({
      Name: expect.stringMatching(/^arn:s-A-/),
    });
  });

  test("works on independent resources at once, within a bound", async () => {
    const bench = openBench();
    await bench.create(Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`T${index}`, thing()])));
    expect(bench.world.peak).toBe(4);
  });

  test("a resource that fails rolls everything back", async () => {
    const bench = openBench();
    const stack = await bench.create({
      A: thing(),
      B: thing({ Fail: "the name is taken", Uses: { Ref: "A" } }),
      C: thing({ Uses: { Ref: "B" } }),
    });
    expect(stack.status).toBe("ROLLBACK_COMPLETE");
    expect(bench.world.things.size).toBe(0);
    expect(bench.reasons()).toContain("The following resource(s) failed to create: [B]. Rollback requested by user.");
    expect(bench.reasons().join()).toContain('Resource handler returned message: "the name is taken"');
    expect(bench.events()).not.toContain("C CREATE_IN_PROGRESS");
    expect(bench.events().slice(-3)).toEqual(["A DELETE_IN_PROGRESS", "A DELETE_COMPLETE", "s ROLLBACK_COMPLETE"]);
  });

  test("rolled back, Retain keeps and RetainExceptOnCreate does not", async () => {
    const bench = openBench();
    await bench.create({
      Kept: thing({}, { DeletionPolicy: "Retain" }),
      Gone: thing({}, { DeletionPolicy: "RetainExceptOnCreate" }),
      Bad: thing({ Fail: "no" }, { DependsOn: ["Kept", "Gone"] }),
    });
    expect([...bench.world.things.keys()]).toEqual([expect.stringMatching(/^s-Kept-/)]);
    expect(bench.events()).toContain("Kept DELETE_SKIPPED");
  });

  test("without rollback it stops, and can be rolled back or deleted", async () => {
    const bench = openBench();
    const stack = await bench.create({ A: thing(), B: thing({ Fail: "no", Uses: { Ref: "A" } }) }, { onFailure: "DO_NOTHING" });
    expect(stack.status).toBe("CREATE_FAILED");
    expect(bench.world.things.size).toBe(1);
    startRollback(bench.deployer, stack, { principal });
    expect(await bench.goOn()).toMatchObject({ status: "ROLLBACK_COMPLETE" });
    expect(bench.world.things.size).toBe(0);
    expect(await bench.delete()).toMatchObject({ status: "DELETE_COMPLETE" });
  });
});

describe("updating a stack", () => {
  const before = { A: thing({ Size: 1 }), B: thing({ Name: { Ref: "A" } }), C: thing() };

  test("changes in place, replaces, adds, and removes at the end", async () => {
    const bench = openBench();
    await bench.create(before);
    const made = bench.events().length;
    const stack = await bench.update({ A: thing({ Size: 2 }), B: thing({ Name: "other" }), D: thing() });
    expect(stack.status).toBe("UPDATE_COMPLETE");
    const seen = bench.events().slice(made);
    // Independent resources may be told of in any order.
    expect([...seen].sort()).toEqual([
      "A UPDATE_COMPLETE",
      "A UPDATE_IN_PROGRESS",
      "B DELETE_COMPLETE",
      "B DELETE_IN_PROGRESS",
      "B UPDATE_COMPLETE",
      "B UPDATE_IN_PROGRESS",
      "B UPDATE_IN_PROGRESS",
      "C DELETE_COMPLETE",
      "C DELETE_IN_PROGRESS",
      "D CREATE_COMPLETE",
      "D CREATE_IN_PROGRESS",
      "D CREATE_IN_PROGRESS",
      "s UPDATE_COMPLETE",
      "s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
      "s UPDATE_IN_PROGRESS",
    ]);
    expect(seen.indexOf("s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")).toBeLessThan(seen.indexOf("C DELETE_IN_PROGRESS"));
    expect([...bench.world.things.keys()].map((id) => id.split("-")[1]).sort()).toEqual(["A", "B", "D"]);
  });

  test("a provider may ask for a replacement itself", async () => {
    const bench = openBench();
    await bench.create({ A: thing({ Shape: "round" }) });
    const [old] = bench.world.things.keys();
    await bench.update({ A: thing({ Shape: "square" }) });
    expect([...bench.world.things.keys()]).not.toContain(old);
    expect(bench.world.things.size).toBe(1);
    expect(bench.reasons()).toContain("Requested update requires the creation of a new physical resource; hence creating one.");
  });

  test("an unchanged resource is left alone, a changed DeletionPolicy is kept without a call", async () => {
    const bench = openBench();
    await bench.create(before);
    const calls = bench.world.calls.length;
    await bench.update({ ...before, C: thing({}, { DeletionPolicy: "Retain" }) });
    expect(bench.world.calls.length).toBe(calls);
    await bench.delete();
    expect([...bench.world.things.keys()]).toEqual([expect.stringMatching(/^s-C-/)]);
  });

  test("a failing update brings everything back", async () => {
    const bench = openBench();
    await bench.create(before);
    const whole = structuredClone([...bench.world.things].sort());
    const stack = await bench.update({
      A: thing({ Size: 2 }),
      B: thing({ Name: "other" }),
      D: thing({ Uses: { Ref: "B" } }),
      E: thing({ Fail: "no", Uses: { Ref: "D" } }),
    });
    expect(stack.status).toBe("UPDATE_ROLLBACK_COMPLETE");
    expect([...bench.world.things].sort()).toEqual(whole);
    expect(bench.events()).toEqual(
      expect.arrayContaining(["s UPDATE_ROLLBACK_IN_PROGRESS", "s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "D DELETE_COMPLETE"]),
    );
    expect(bench.reasons()).toContain("The following resource(s) failed to create: [E].");
    expect(await bench.update({ A: thing({ Size: 3 }) })).toMatchObject({ status: "UPDATE_COMPLETE" });
  });

  test("an update in doubt is undone by an update back", async () => {
    const bench = openBench();
    await bench.create({ A: thing({ Size: 1 }) });
    await bench.update({ A: thing({ Size: 2, Fail: "half way" }) });
    expect(bench.world.calls.slice(-2)).toEqual(["update A", "update A"]);
    expect([...bench.world.things.values()][0]?.properties).toEqual({ Size: 1 });
  });

  test("a rollback that fails can be continued, also past a resource", async () => {
    const bench = openBench();
    await bench.create({ A: thing({ Size: 1 }) });
    bench.world.failing.set("update A", "stuck");
    expect(await bench.update({ A: thing({ Size: 2 }) })).toMatchObject({
      status: "UPDATE_ROLLBACK_FAILED",
      reason: "The following resource(s) failed to update: [A].",
    });
    continueRollback(bench.deployer, bench.stack(), { principal, skip: [] });
    expect(await bench.goOn()).toMatchObject({ status: "UPDATE_ROLLBACK_FAILED" });
    continueRollback(bench.deployer, bench.stack(), { principal, skip: ["A"] });
    expect(await bench.goOn()).toMatchObject({ status: "UPDATE_ROLLBACK_COMPLETE" });
  });

  test("a failed update without rollback can be mended by the next, or rolled back to the last whole state", async () => {
    const bench = openBench();
    await bench.create(before);
    const whole = structuredClone([...bench.world.things].sort());
    const broken = { ...before, A: thing({ Size: 2 }), B: thing({ Name: "other" }), D: thing({ Fail: "no", Uses: { Ref: "A" } }) };
    expect(await bench.update(broken, { onFailure: "DO_NOTHING" })).toMatchObject({ status: "UPDATE_FAILED" });
    expect(await bench.update({ ...broken, A: thing({ Size: 5 }) }, { onFailure: "DO_NOTHING" })).toMatchObject({
      status: "UPDATE_FAILED",
    });
    startRollback(bench.deployer, bench.stack(), { principal });
    expect(await bench.goOn()).toMatchObject({ status: "UPDATE_ROLLBACK_COMPLETE" });
    expect([...bench.world.things].sort()).toEqual(whole);
  });

  test("what can't be deleted in the cleanup is left behind, and the update is complete", async () => {
    const bench = openBench();
    await bench.create(before);
    bench.world.failing.set("delete C", "in use");
    expect(await bench.update({ A: before.A, B: before.B })).toMatchObject({ status: "UPDATE_COMPLETE" });
    expect(bench.events()).toContain("C DELETE_FAILED");
    expect(bench.deployer.store.resources.get(bench.stack().id, "C")).toBeUndefined();
  });

  test("UpdateReplacePolicy Retain keeps what was replaced", async () => {
    const bench = openBench();
    await bench.create({ A: thing({ Name: "one" }) });
    await bench.update({ A: thing({ Name: "two" }, { UpdateReplacePolicy: "Retain" }) });
    expect(bench.world.things.size).toBe(2);
    expect(bench.events()).toContain("A DELETE_SKIPPED");
  });

  test("new stack tags reach the resources that take tags", async () => {
    const bench = openBench();
    await bench.create({ A: thing() }, { tags: { team: "a" } });
    await bench.update({ A: thing() }, { tags: { team: "b" } });
    expect(bench.world.calls).toEqual(["create A", "update A"]);
    await bench.update({ A: thing() }, { tags: { team: "b" } });
    expect(bench.world.calls).toEqual(["create A", "update A"]);
  });
});

describe("deleting a stack", () => {
  test("goes against the dependencies and keeps what is retained", async () => {
    const bench = openBench();
    await bench.create({ A: thing(), B: thing({ Uses: { Ref: "A" } }), C: thing({}, { DeletionPolicy: "Retain" }) });
    expect(await bench.delete()).toMatchObject({ status: "DELETE_COMPLETE" });
    expect(bench.world.calls.slice(-2)).toEqual(["delete B", "delete A"]);
    expect(bench.world.things.size).toBe(1);
    expect(bench.deployer.store.resources.list(bench.stack().id).map(({ status }) => status)).toEqual([
      "DELETE_COMPLETE",
      "DELETE_COMPLETE",
      "DELETE_SKIPPED",
    ]);
  });

  test("a resource that can't be deleted fails the stack, and what it needs stays; the next attempt finishes", async () => {
    const bench = openBench();
    await bench.create({ A: thing(), B: thing({ Uses: { Ref: "A" } }), C: thing() });
    bench.world.failing.set("delete B", "not empty");
    expect(await bench.delete()).toMatchObject({ status: "DELETE_FAILED", reason: "The following resource(s) failed to delete: [B]." });
    expect([...bench.world.things.keys()].map((id) => id.split("-")[1])).toEqual(["A", "B"]);
    bench.world.failing.clear();
    expect(await bench.delete()).toMatchObject({ status: "DELETE_COMPLETE" });
    expect(bench.world.things.size).toBe(0);
  });

  test("during a creation it waits for what is under way, and for nothing else", async () => {
    const bench = openBench();
    bench.begin.create(Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`T${index}`, thing()])));
    const creating = bench.goOn();
    bench.begin.delete();
    expect(await creating).toMatchObject({ status: "DELETE_COMPLETE" });
    expect(bench.world.things.size).toBe(0);
    expect(bench.world.calls.filter((call) => call.startsWith("create")).length).toBeLessThan(9);
  });
});

describe("exports", () => {
  const exporting = { outputs: { O: { Value: { Ref: "A" }, Export: { Name: "shared" } } } };
  const importing = { B: thing({ Name: { "Fn::ImportValue": "shared" } }) };

  test("are imported by another stack, and then neither deleted nor changed", async () => {
    const bench = openBench();
    await bench.create({ A: thing({ Name: "1" }) }, exporting);
    expect(await bench.create(importing, { name: "t" })).toMatchObject({ status: "CREATE_COMPLETE" });
    expect(await bench.update({ A: thing({ Name: "1" }) })).toMatchObject({ status: "UPDATE_ROLLBACK_COMPLETE" });
    expect(bench.reasons()).toContain("Export shared cannot be deleted as it is in use by t");
    expect(await bench.update({ A: thing({ Name: "2" }) }, exporting)).toMatchObject({ status: "UPDATE_ROLLBACK_COMPLETE" });
    expect(bench.reasons()).toContain("Export shared cannot be updated as it is in use by t");
    expect(await bench.delete()).toMatchObject({
      status: "UPDATE_ROLLBACK_COMPLETE",
      reason: "Export shared cannot be deleted as it is in use by t",
    });
    await bench.delete("t");
    expect(await bench.delete()).toMatchObject({ status: "DELETE_COMPLETE" });
  });

  test("a name belongs to one stack", async () => {
    const bench = openBench();
    await bench.create({ A: thing() }, exporting);
    expect(await bench.create({ A: thing() }, { ...exporting, name: "t" })).toMatchObject({ status: "ROLLBACK_COMPLETE" });
    expect(bench.reasons("t").join()).toContain("Export with name shared is already exported by stack s.");
  });

  test("an import of what nobody exports fails the resource", async () => {
    const bench = openBench();
    expect(await bench.create(importing)).toMatchObject({ status: "ROLLBACK_COMPLETE" });
    expect(bench.reasons()).toContain("No export named shared found.");
  });
});
