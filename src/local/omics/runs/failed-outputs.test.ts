import { CancelRunCommand, ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNextflow } from "../../engines/testing/nextflow.ts";
import { openLab, type OmicsLab } from "../testing/omics.ts";

/** Two tasks, the second after the first; the second ends as its command says. */
const two = (command: string) => ({
  WDL: {
    "main.wdl": `version 1.1
workflow W { call first call second { input: after = first.out } output { File one = first.out File two = second.out Array[File] both = [first.out, second.out] } }
task first { command <<< echo first > one.txt >>> output { File out = "one.txt" } }
task second { input { File after } command <<< ${command} >>> output { File out = "two.txt" } }`,
  },
  CWL: {
    "main.cwl": `cwlVersion: v1.2
class: Workflow
inputs: {}
outputs: { one: { type: File, outputSource: first/out }, two: { type: File, outputSource: second/out } }
steps:
  first: { in: {}, out: [out], run: { class: CommandLineTool, baseCommand: [echo, first], stdout: one.txt, inputs: {}, outputs: { out: stdout } } }
  second: { in: { after: first/out }, out: [out], run: { class: CommandLineTool, requirements: { ShellCommandRequirement: {} }, arguments: [{ shellQuote: false, valueFrom: "${command}" }], stdout: two.txt, inputs: { after: File }, outputs: { out: stdout } } }
`,
  },
  NEXTFLOW: {
    "main.nf": `process FIRST {
  publishDir '/mnt/workflow/pubdir/one'
  output: path 'one.txt'
  script: 'echo first > one.txt'
}
process SECOND {
  publishDir '/mnt/workflow/pubdir/two'
  input: path after
  output: path 'two.txt'
  script: '${command}'
}
workflow { SECOND(FIRST()) }`,
  },
});
type Language = keyof ReturnType<typeof two>;
const LANGUAGES = (["WDL", "CWL", "NEXTFLOW"] as const).filter((language) => language !== "NEXTFLOW" || hasNextflow());
const FIRST: Readonly<Record<Language, string>> = { WDL: "out/one/one.txt", CWL: "out/one/one.txt", NEXTFLOW: "pubdir/one/one.txt" };

describe("a run that does not succeed", { timeout: 240_000 }, () => {
  let lab: OmicsLab;
  beforeAll(async () => {
    lab = await openLab();
  }, 180_000);
  afterAll(() => lab[Symbol.asyncDispose]());

  test.each(LANGUAGES)("of %s, when a task fails, exports the outputs of what had ended, and no list of outputs", async (language) => {
    const id = await lab.start({ workflowId: await lab.workflow(two("exit 7")[language]) });
    expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "RUN_TASK_FAILED" });
    expect(await lab.keys(`runs/${id}/`)).toEqual([`runs/${id}/logs/engine.log`, `runs/${id}/${FIRST[language]}`]);
    expect(await lab.get(`runs/${id}/${FIRST[language]}`)).toBe("first\n");
  });

  test.each(LANGUAGES)("of %s, when it is cancelled, exports nothing", async (language) => {
    const id = await lab.start({ workflowId: await lab.workflow(two("sleep 600")[language]) });
    const running = async () =>
      ((await lab.omics.send(new ListRunTasksCommand({ id }))).items ?? []).some(
        ({ name = "", status }) => /second/i.test(name) && status === "RUNNING",
      );
    while (!(await running()));
    await lab.omics.send(new CancelRunCommand({ id }));
    expect(await lab.ended(id)).toMatchObject({ status: "CANCELLED" });
    expect(await lab.keys(`runs/${id}/`)).toEqual([]);
  });
});
