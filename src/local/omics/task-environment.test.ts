import { GetRunCommand, GetRunTaskCommand, ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasDocker } from "../engines/testing/docker.ts";
import { hasNextflow } from "../engines/testing/nextflow.ts";
import { LET_OMICS_READ, pushHostImage } from "./testing/images.ts";
import { openLab, type OmicsLab } from "./testing/omics.ts";

// What a task says of where it is: the guide's "Task environment" (healthomics.md section 3.4), in each language. Quotes and
// dollars must survive three languages' strings: the script is a file of the definition, which lies at /mnt/workflow.
const PROBE = `
env | grep ^AWS_ | sort
echo pwd=$(pwd)
echo definition=$(cat /mnt/workflow/note.txt)
(echo x > /mnt/workflow/note.txt) 2>/dev/null && echo definition-writable || echo definition-read-only
(echo x > /tmp/x) 2>/dev/null && echo tmp-writable
echo interfaces=$(ls /sys/class/net)
echo memory=$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max)
echo cpus=$(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max)
`;

const definitionOf = (image: string) => ({
  WDL: {
    "main.wdl": `version 1.1
workflow W { call probe output { File said = probe.said } }
task probe { command <<< bash /mnt/workflow/probe.sh > said.txt; echo to the log >>> output { File said = "said.txt" } runtime { docker: "${image}" cpu: 1 memory: "1 GiB" } }`,
  },
  CWL: {
    "main.cwl": `
cwlVersion: v1.2
class: CommandLineTool
requirements: { DockerRequirement: { dockerPull: "${image}" }, ResourceRequirement: { coresMin: 1, ramMin: 1024 }, ShellCommandRequirement: {} }
arguments: [{ shellQuote: false, valueFrom: "bash /mnt/workflow/probe.sh > said.txt; echo to the log" }]
inputs: {}
outputs: { said: { type: File, outputBinding: { glob: said.txt } } }
`,
  },
  NEXTFLOW: {
    "main.nf": `
process probe {
  container '${image}'
  cpus 1
  memory '1 GB'
  publishDir '/mnt/workflow/pubdir'
  output: path 'said.txt'
  script: 'greet; bash /mnt/workflow/probe.sh > said.txt; echo to the log'
}
workflow { probe() }
`,
    "bin/greet": "#!/bin/sh\necho from the definition\n",
  },
});

const SAID = { WDL: "out/said/said.txt", CWL: "out/said/said.txt", NEXTFLOW: "pubdir/said.txt" } as const;
const LANGUAGES = (["WDL", "CWL", "NEXTFLOW"] as const).filter((language) => language !== "NEXTFLOW" || hasNextflow());

describe.skipIf(!hasDocker())("a task in a container", { timeout: 180_000 }, () => {
  let lab: OmicsLab;
  let image: Awaited<ReturnType<typeof pushHostImage>>;
  beforeAll(async () => {
    lab = await openLab({ containers: "docker" });
    image = await pushHostImage(lab.config, "probe", [LET_OMICS_READ]);
  }, 180_000);
  afterAll(() => lab[Symbol.asyncDispose]());

  test.each(LANGUAGES)("of %s finds itself where the guide says, with what it asked for and no more", async (language) => {
    const workflowId = await lab.workflow({ ...definitionOf(image.uri)[language], "probe.sh": PROBE, "note.txt": "hello" });
    const id = await lab.start({ workflowId });
    const { status, statusMessage } = await lab.ended(id);
    expect([status, statusMessage]).toEqual(["COMPLETED", undefined]);
    const run = await lab.omics.send(new GetRunCommand({ id }));
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
    const taskId = items[0]?.taskId ?? "";
    const task = await lab.omics.send(new GetRunTaskCommand({ id, taskId }));
    const said = (await lab.get(`runs/${id}/${SAID[language]}`)).trim().split("\n");
    expect(said.filter((line) => line.startsWith("AWS_") && !line.startsWith("AWS_WORKFLOW_TASK_UUID="))).toEqual([
      "AWS_REGION=us-east-1",
      `AWS_WORKFLOW_RUN=${run.arn}`,
      `AWS_WORKFLOW_RUN_ID=${id}`,
      `AWS_WORKFLOW_RUN_UUID=${run.uuid}`,
      `AWS_WORKFLOW_TASK=arn:aws:omics:us-east-1:111122223333:task/${taskId}`,
      `AWS_WORKFLOW_TASK_ID=${taskId}`,
    ]);
    expect(said.find((line) => line.startsWith("AWS_WORKFLOW_TASK_UUID="))).toMatch(/=[0-9a-f-]{36}$/);
    const cpus = expect.stringMatching(/^cpus=100000( 100000)?$/) as string; // one, in cgroup v1 and v2
    expect(said).toEqual(
      expect.arrayContaining(["definition=hello", "definition-read-only", "tmp-writable", "interfaces=lo", `memory=${1024 ** 3}`, cpus]),
    );
    expect(task).toMatchObject({
      name: language === "CWL" ? "main.cwl" : "probe",
      cpus: 1,
      memory: 1,
      imageDetails: { image: image.uri, imageDigest: image.digest },
    });
    expect(await lab.logLines(`run/${id}/task/${taskId}`)).toContain("to the log");
    if (language === "NEXTFLOW") expect(await lab.logLines(`run/${id}/task/${taskId}`)).toContain("from the definition");
  });

  test("of WDL works in the run's folder", async () => {
    const workflowId = await lab.workflow({
      "main.wdl": `version 1.1\nworkflow W { call t output { String at = t.at } }\ntask t { command <<< pwd >>> output { String at = read_string(stdout()) } runtime { docker: "${image.uri}" } }`,
    });
    const id = await lab.start({ workflowId });
    const { uuid } = await lab.ended(id);
    expect(JSON.parse(await lab.get(`runs/${id}/logs/outputs.json`))).toEqual({ "W.at": `/mnt/workflow/${uuid}/workdir/work` });
  });
});
