import { expect, test } from "vitest";
import { generatedName } from "./names.ts";

const name = (limit: number, options = {}) =>
  generatedName(
    { stack: "My-Stack-With-A-Rather-Long-Name", logicalId: "ReleaseBucketWithALongLogicalId3F2A", token: "t", limit },
    options,
  );

test("a generated name has the stack, the logical id and twelve characters, and fits its limit", () => {
  expect(name(255)).toMatch(/^My-Stack-With-A-Rather-Long-Name-ReleaseBucketWithALongLogicalId3F2A-[A-Z0-9]{12}$/);
  for (const limit of [20, 32, 63, 64]) expect(name(limit).length).toBeLessThanOrEqual(limit);
  expect(name(63)).toMatch(/^My-Stack-With-A-Rather-Lo-ReleaseBucketWithALongLo-[A-Z0-9]{12}$/);
});

test("the same step always gets the same name, another step another", () => {
  const parts = { stack: "s", logicalId: "A", limit: 64 };
  expect(generatedName({ ...parts, token: "1" })).toBe(generatedName({ ...parts, token: "1" }));
  expect(generatedName({ ...parts, token: "1" })).not.toBe(generatedName({ ...parts, token: "2" }));
});

test("lower case and other character sets are for the asking", () => {
  expect(name(63, { lowerCase: true })).toMatch(/^[a-z0-9-]+$/);
  expect(name(63, { allowed: "A-Za-z0-9" })).toMatch(/^[A-Za-z0-9]+$/);
});
