import { GetWorkflowCommand, ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNextflow } from "../engines/testing/nextflow.ts";
import { openLab, type OmicsLab } from "./testing/omics.ts";

let lab: OmicsLab;
beforeAll(async () => {
  lab = await openLab();
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

test("a WDL document of one task and no workflow runs that task", { timeout: 120_000 }, async () => {
  const workflowId = await lab.workflow({
    "main.wdl":
      "version 1.0\ntask greet { input { String who Int times = 1 } command { echo hello ~{who} ~{times} } output { String said = read_string(stdout()) File written = stdout() } }\n",
  });
  expect(await lab.omics.send(new GetWorkflowCommand({ id: workflowId }))).toMatchObject({
    parameterTemplate: { who: { optional: false }, times: { optional: true } },
  });
  const id = await lab.start({ workflowId, parameters: { who: "phage" } });
  expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
  expect(JSON.parse(await lab.get(`runs/${id}/logs/outputs.json`))).toMatchObject({
    "greet.said": "hello phage 1",
    "greet.written": `s3://${lab.bucket}/runs/${id}/out/written/stdout.txt`,
  });
  expect((await lab.omics.send(new ListRunTasksCommand({ id }))).items).toMatchObject([{ name: "greet", status: "COMPLETED" }]);
});

describe("CWL", () => {
  const TOOL = `
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [wc, -l]
inputs:
  text: { type: File, label: "what to count", inputBinding: { position: 1 } }
  note: { type: string?, default: none }
stdout: count.txt
outputs:
  count: { type: stdout }
`;

  test("a workflow is read, runs, and writes its outputs as HealthOmics lays them out", { timeout: 120_000 }, async () => {
    const text = await lab.put("cwl/three.txt", "1\n2\n3\n");
    const workflowId = await lab.workflow({ "main.cwl": TOOL });
    expect(await lab.omics.send(new GetWorkflowCommand({ id: workflowId }))).toMatchObject({
      engine: "CWL",
      main: "main.cwl",
      parameterTemplate: { text: { description: "what to count", optional: false }, note: { optional: true } },
    });
    const id = await lab.start({ workflowId, parameters: { text: { class: "File", location: text } } });
    expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
    expect((await lab.get(`runs/${id}/out/count/count.txt`)).trim()).toMatch(/^3 /);
    expect(JSON.parse(await lab.get(`runs/${id}/logs/outputs.json`))).toMatchObject({
      count: { class: "File", basename: "count.txt", location: `s3://${lab.bucket}/runs/${id}/out/count/count.txt` },
    });
    expect((await lab.omics.send(new ListRunTasksCommand({ id }))).items).toMatchObject([{ status: "COMPLETED" }]);
  });
});

describe.skipIf(!hasNextflow())("Nextflow", () => {
  const PIPELINE = {
    "main.nf": `
params.text = null
params.outdir = '/mnt/workflow/pubdir'
process COUNT {
  publishDir params.outdir
  input: path text
  output: path 'count.txt'
  script: "wc -l < $text > count.txt"
}
workflow { COUNT(Channel.fromPath(params.text)) }
`,
    "nextflow.config": "manifest.nextflowVersion = '!>=24.04'\nprofiles { test { params.text = 's3://lab-bucket/nf/three.txt' } }",
  };

  test("a pipeline is read, runs, and what it published is exported", { timeout: 120_000 }, async () => {
    const text = await lab.put("nf/three.txt", "1\n2\n3\n");
    const workflowId = await lab.workflow(PIPELINE);
    expect(await lab.omics.send(new GetWorkflowCommand({ id: workflowId }))).toMatchObject({ engine: "NEXTFLOW", main: "main.nf" });
    const id = await lab.start({ workflowId, parameters: { text } });
    expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED", engineVersion: "24.10.8" });
    expect((await lab.get(`runs/${id}/pubdir/count.txt`)).trim()).toBe("3");
    expect(await lab.keys(`runs/${id}/`)).toEqual([`runs/${id}/logs/engine.log`, `runs/${id}/pubdir/count.txt`]);
    expect((await lab.omics.send(new ListRunTasksCommand({ id }))).items).toMatchObject([{ name: "COUNT (1)", status: "COMPLETED" }]);
  });

  test("a version that HealthOmics does not have fails the run", async () => {
    const workflowId = await lab.workflow({ "main.nf": "workflow { }", "nextflow.config": "manifest.nextflowVersion = '!>=99.10'" });
    expect(await lab.ended(await lab.start({ workflowId }))).toMatchObject({
      status: "FAILED",
      failureReason: "WORKFLOW_VER_VALIDATION_FAILED",
    });
  });
});
