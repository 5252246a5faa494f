import { expect, test } from "vitest";
import { type ActionStep, failedStep } from "./pipeline.ts";

const step = (action: string, status: string, externalId: string): ActionStep => ({ stage: action, action, status, externalId });

test("a stage that failed, was retried and failed again is told by its last try; one that succeeded then failed for nothing", () => {
  const actions = [step("Build", "Succeeded", "b"), step("Promote", "Failed", "first"), step("Promote", "Failed", "second")];
  expect(failedStep({ status: "Failed", actions })?.externalId).toBe("second");
  expect(failedStep({ status: "Succeeded", actions: [...actions, step("Promote", "Succeeded", "third")] })).toBeUndefined();
});
