import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { failureReasons, type FailureReason } from "./failure-reasons.ts";

/** Where each reason is provoked, by a run of the public API. */
const PROVOKED: Readonly<Record<FailureReason, string>> = {
  ASSUME_ROLE_FAILED: "runs.test.ts",
  CANNOT_START_CONTAINER_ERROR: "images.test.ts",
  CANNOT_START_CONTAINER_SIZE_ERROR: "limits.test.ts",
  ECR_PERMISSION_ERROR: "images.test.ts",
  EXPORT_FAILED: "runs.test.ts",
  FILE_SYSTEM_OUT_OF_SPACE: "limits.test.ts",
  IMAGE_VERIFICATION_FAILURE: "images.test.ts",
  IMPORT_FAILED: "failures.test.ts",
  INACTIVE_OMICS_STORAGE_RESOURCE: "limits.test.ts",
  INPUT_URI_NOT_FOUND: "runs.test.ts",
  INSTANCE_RESERVATION_FAILED: "limits.test.ts",
  INVALID_ECR_IMAGE_URI: "failures.test.ts",
  INVALID_TASK_RESOURCE_VALUE: "failures.test.ts",
  INVALID_URI_INPUT: "failures.test.ts",
  MODIFIED_INPUT_RESOURCE: "failures.test.ts",
  OUT_OF_MEMORY_ERROR: "failures.test.ts",
  RUN_TASK_FAILED: "runs.test.ts",
  RUN_TIMED_OUT: "failures.test.ts",
  SERVICE_ERROR: "limits.test.ts",
  TASK_TIMED_OUT: "failures.test.ts",
  UNSUPPORTED_GPU_INSTANCE_TYPE: "failures.test.ts",
  UNSUPPORTED_INPUT_SIZE: "limits.test.ts",
  WORKFLOW_RUN_FAILED: "failures.test.ts",
  WORKFLOW_VER_VALIDATION_FAILED: "languages.test.ts",
  ALL_PROFILES_INSTANCE_RESERVATION_FAILED: "limits.test.ts",
};

test.each(failureReasons)("%s is provoked by a test", (reason) => {
  expect(readFileSync(new URL(PROVOKED[reason], import.meta.url), "utf8")).toMatch(new RegExp(`${reason}[:"\`]|\\("${reason}"`));
});
