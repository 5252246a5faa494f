import { describe, expect, test } from "vitest";
import { validate } from "./validate.ts";

const version = { workflowId: "1234567", versionName: "1.0.0", requestId: "r" };

describe("validate", () => {
  test("a request that breaks nothing has no message", () => {
    expect(validate("CreateWorkflowVersion", version)).toBeUndefined();
  });

  test("members that the model does not know are tolerated, and null is absence", () => {
    expect(validate("CreateWorkflowVersion", { ...version, notThereYet: { deep: 1 }, main: null })).toBeUndefined();
  });

  test("a missing required member is named", () => {
    expect(validate("CreateWorkflowVersion", { workflowId: "1", requestId: "r" })).toBe(
      "1 validation error detected: Value null at 'versionName' failed to satisfy constraint: Member must not be null",
    );
  });

  test("all violations come in one message", () => {
    expect(validate("StartRun", { requestId: "r", roleArn: "x", outputUri: "s3://b/", priority: -1, logLevel: "LOUD" })).toBe(
      "3 validation errors detected: " +
        "Value 'x' at 'roleArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:.+; " +
        "Value '-1' at 'priority' failed to satisfy constraint: Member must have value greater than or equal to 0; " +
        "Value 'LOUD' at 'logLevel' failed to satisfy constraint: Member must satisfy enum value set: [OFF, FATAL, ERROR, ALL]",
    );
  });

  test("a parameter's description is addressed as the service addresses it", () => {
    const parameterTemplate = { reads: { description: "one\nline" } };
    expect(validate("CreateWorkflow", { requestId: "r", parameterTemplate })).toContain(
      "at 'parameterTemplate.reads.member.description' failed to satisfy constraint: Member must satisfy regular expression pattern: ",
    );
  });

  test("a parameter that is plain text is refused", () => {
    expect(validate("CreateWorkflow", { requestId: "r", parameterTemplate: { reads: "FASTQ" } })).toContain(
      "Value 'FASTQ' at 'parameterTemplate.reads.member' failed to satisfy constraint: Member must be a structure",
    );
  });

  test("an empty map and a long key are refused", () => {
    expect(validate("CreateWorkflow", { requestId: "r", parameterTemplate: {} })).toContain("greater than or equal to 1");
    expect(validate("CreateWorkflow", { requestId: "r", tags: { ["k".repeat(129)]: "v" } })).toContain(
      "at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 128]",
    );
  });

  test("lengths count code points", () => {
    expect(validate("CreateRunGroup", { requestId: "r", name: "🧬".repeat(128) })).toBeUndefined();
    expect(validate("CreateRunGroup", { requestId: "r", name: "🧬".repeat(129) })).toContain("less than or equal to 128");
  });

  test("a union takes exactly one member", () => {
    const batch = { requestId: "r", defaultRunSetting: { workflowId: "1", roleArn: "arn:x" } };
    expect(validate("StartRunBatch", { ...batch, batchRunSettings: { s3UriSettings: "s3://b/k" } })).toBeUndefined();
    expect(validate("StartRunBatch", { ...batch, batchRunSettings: {} })).toContain(
      "at 'batchRunSettings' failed to satisfy constraint: Member must have exactly one of: [inlineSettings, s3UriSettings]",
    );
  });

  test("registry mappings need both of their addresses", () => {
    const containerRegistryMap = { registryMappings: [{ upstreamRegistryUrl: "quay.io" }] };
    expect(validate("CreateWorkflow", { requestId: "r", containerRegistryMap })).toBe(
      "1 validation error detected: Value null at 'containerRegistryMap.registryMappings.1.member.ecrRepositoryPrefix' " +
        "failed to satisfy constraint: Member must not be null",
    );
  });

  test("types are checked: text for a number, a fraction, a definition that is not base64", () => {
    expect(validate("CreateWorkflow", { requestId: "r", storageCapacity: "1200" })).toContain("Member must be an integer");
    expect(validate("CreateWorkflow", { requestId: "r", storageCapacity: 1.5 })).toContain("Member must be an integer");
    expect(validate("CreateWorkflow", { requestId: "r", definitionZip: "not base64!" })).toContain("Member must be base64 text");
  });

  test("run parameters are any JSON", () => {
    for (const parameters of [{ a: [1, { b: null }] }, [], "text", 7])
      expect(validate("StartRun", { requestId: "r", roleArn: "arn:x", outputUri: "s3://b/", parameters })).toBeUndefined();
  });

  test("an overlong value is not quoted whole", () => {
    expect(validate("CreateWorkflow", { requestId: "r", name: "n".repeat(100_000) })?.length).toBeLessThan(1500);
  });
});
