import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { expect, test } from "vitest";
import { encodeResult, exportedResult, failureOf } from "./after-build.ts";

const logs = undefined as unknown as CloudWatchLogsClient;

test.each([
  ["a time-out", "States.Timeout: ", "States.Timeout: "],
  [
    "an account's limit",
    "CodeBuild.AccountLimitExceededException: Cannot have more than 1 builds in queue",
    "Cannot have more than 1 builds",
  ],
  ["text with braces", "States.TaskFailed: {not json", "{not json"],
  ["JSON of something else", 'Lambda.Unknown: {"errorMessage":"x"}', '"errorMessage"'],
  ["nothing", "", "nobody says why"],
])("E16: a cause that is no build as JSON (%s) is a reason, not another failure", async (_name, cause, expected) => {
  expect((await failureOf(logs, cause)).reason).toContain(expected);
});

test("a build without a log says so", async () => {
  expect(await failureOf(logs, 'States.TaskFailed: {"Build": {"Id": "omx-image-build:1", "BuildStatus": "STOPPED"}}')).toEqual({
    build: "omx-image-build:1",
    reason: "the build omx-image-build:1 ended STOPPED; it has no log",
  });
});

test("of a build that had too few hours it is said where they are set", async () => {
  const cause = (id: string) => `States.TaskFailed: {"Build": {"Id": "${id}", "BuildStatus": "TIMED_OUT"}}`;
  expect((await failureOf(logs, cause("omx-image-build:1"))).reason).toBe(
    "the build omx-image-build:1 ended TIMED_OUT, after containers.buildHours of omx.deploy.yaml; it has no log",
  );
  expect((await failureOf(logs, cause("omx-image-pull:1"))).reason).toBe("the build omx-image-pull:1 ended TIMED_OUT; it has no log");
});

test("a build's counts are believed, and nothing else of what it exports", () => {
  const result = {
    status: "SUCCEEDED",
    digest: "sha256:forged",
    target_image: "elsewhere",
    bytes_moved: 5,
    reason: "the target did not have it",
  };
  expect(
    exportedResult([
      { Name: "OTHER", Value: "x" },
      { Name: "OMX_RESULT", Value: encodeResult(result) },
    ]),
  ).toEqual({ status: "SUCCEEDED", bytes_moved: 5, reason: "the target did not have it" });
  expect(exportedResult([])).toEqual({});
  expect(() => exportedResult([{ Name: "OMX_RESULT", Value: encodeResult({ status: "FAILED" }) }])).toThrow();
});
