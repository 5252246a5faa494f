import { ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNextflow } from "../engines/testing/nextflow.ts";
import { openLab, type OmicsLab } from "./testing/omics.ts";

describe.skipIf(!hasNextflow())("a Nextflow run", { timeout: 180_000 }, () => {
  let lab: OmicsLab;
  beforeAll(async () => {
    lab = await openLab();
  }, 120_000);
  afterAll(() => lab[Symbol.asyncDispose]());

  test("finds its inputs by globs in S3, retries as new tasks, and exports what it published", async () => {
    for (const name of ["a.txt", "b.tsv", "c.csv", "deep/er/d.txt"]) await lab.put(`globbed/${name}`, `${name}\n`);
    const workflowId = await lab.workflow({
      "main.nf": `
params.flat = null
params.deep = null
process FLAKY {
  errorStrategy 'retry'
  maxRetries 1
  script: "[ $task.attempt = 2 ]"
}
process LIST {
  publishDir '/mnt/workflow/pubdir/lists', saveAs: { "listed.txt" }
  input: path flat, stageAs: 'flat/*'
         path deep, stageAs: 'deep/*'
  output: path 'list.txt'
  script: "ls flat deep > list.txt; mkdir -p /mnt/workflow/output; ls flat > /mnt/workflow/output/flat.txt"
}
workflow {
  FLAKY()
  LIST(Channel.fromPath(params.flat).toSortedList(), Channel.fromPath(params.deep).toSortedList())
}
`,
    });
    const parameters = { flat: `s3://${lab.bucket}/globbed/*.{txt,tsv}`, deep: `s3://${lab.bucket}/globbed/**.txt` };
    const id = await lab.start({ workflowId, parameters });
    const { status, statusMessage } = await lab.ended(id);
    expect([status, statusMessage]).toEqual(["COMPLETED", undefined]);
    expect((await lab.get(`runs/${id}/pubdir/lists/listed.txt`)).split("\n").sort()).toEqual([
      "",
      "",
      "a.txt",
      "a.txt",
      "b.tsv",
      "d.txt",
      "deep:",
      "flat:",
    ]);
    expect(await lab.get(`runs/${id}/output/flat.txt`)).toBe("a.txt\nb.tsv\n");
    expect(await lab.keys(`runs/${id}/`)).toEqual([
      `runs/${id}/logs/engine.log`,
      `runs/${id}/output/flat.txt`,
      `runs/${id}/pubdir/lists/listed.txt`,
    ]);
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
    const byName = (name: string) =>
      items
        .filter((task) => task.name === name)
        .map((task) => task.status)
        .toSorted();
    expect([byName("FLAKY"), byName("LIST")]).toEqual([["COMPLETED", "FAILED"], ["COMPLETED"]]);
  });
});
