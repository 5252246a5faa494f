import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hasNextflow } from "./testing/nextflow.ts";
import { openStage, type Rehearsal } from "./testing/run-engine.ts";

const { rehearse, file: local, close } = openStage();
afterAll(close);

const MAIN = `
params.outdir = '/mnt/workflow/pubdir'
params.sheet = null
process COUNT {
  container 'quay.io/library/bash:5'
  cpus 2
  memory '3 GB'
  publishDir params.outdir
  input: path text
  output: path "\${text.baseName}.count"
  script: "wc -l < $text > \${text.baseName}.count; echo counted"
}
process PLAIN { script: "echo plain" }
workflow {
  files = params.sheet ? Channel.fromPath(params.sheet).splitCsv(header: true).map { file(it.text, checkIfExists: true) } : Channel.fromPath(params.reads)
  COUNT(files)
  PLAIN()
}
`;

const nextflow = (play: Omit<Rehearsal, "engine" | "main">) => rehearse({ engine: "NEXTFLOW", main: "main.nf", ...play });

// Nextflow takes some seconds to start, and much longer on a busy machine.
describe.skipIf(!hasNextflow())("Nextflow on the host", { timeout: 180_000 }, () => {
  test("files of a sample sheet in S3 are brought, and what is published is found", async () => {
    const sheet = local("sheet.csv", "id,text\nx,s3://data/a.txt\n");
    const asked: string[][] = [];
    const { result, events, folder } = await nextflow({
      files: { "main.nf": MAIN },
      inputs: { sheet: "s3://data/sheet.csv" },
      bring: (uris) => {
        asked.push(uris.map(({ uri }) => uri));
        return { paths: { "s3://data/sheet.csv": sheet, "s3://data/a.txt": local("a.txt", "1\n2\n") } };
      },
    });
    expect(result).toEqual({ outcome: "completed", outputs: {} });
    expect(asked).toEqual([["s3://data/sheet.csv"], ["s3://data/a.txt"]]);
    expect(readFileSync(join(folder.root, "run/out/pubdir/a.count"), "utf8").trim()).toBe("2");
    const requests = events.filter((event) => event.type === "task.request").toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(requests).toMatchObject([
      { name: "COUNT (1)", image: "quay.io/library/bash:5", cpus: 2, memoryBytes: 3 * 1024 ** 3 },
      { name: "PLAIN", cpus: 1, memoryBytes: 1024 ** 3 },
    ]);
    expect(requests[1]).not.toHaveProperty("image");
    const started = events.find((event) => event.type === "task.started" && event.task === requests[0]!.ask);
    expect(started?.type === "task.started" && readFileSync(started.stdout, "utf8")).toBe("counted\n");
  });

  test("a file that the configuration names by default is brought too", async () => {
    const { result, folder } = await nextflow({
      files: { "main.nf": MAIN, "nextflow.config": "params.reads = 's3://data/default.txt'\nparams.other = 's3://data/absent.txt'" },
      bring: () => ({ paths: { "s3://data/default.txt": local("default.txt", "1\n2\n3\n") } }),
    });
    expect(result).toMatchObject({ outcome: "completed" });
    expect(readFileSync(join(folder.root, "run/out/pubdir/default.count"), "utf8").trim()).toBe("3");
  });

  test("a task that fails fails the run", async () => {
    const { result, events } = await nextflow({
      files: { "main.nf": "process BAD { container 'x'; script: 'exit 7' }\nworkflow { BAD() }" },
    });
    expect(result).toMatchObject({ outcome: "failed", code: "RUN_TASK_FAILED", message: expect.stringContaining("BAD") });
    expect(events.find((event) => event.type === "task.ended")).toMatchObject({ outcome: "failed", exitCode: 7 });
  });

  test("a refused image fails the run with the reason", async () => {
    const { result } = await nextflow({
      files: { "main.nf": "process BAD { container 'x'; script: 'true' }\nworkflow { BAD() }" },
      grant: () => ({ refused: { code: "ECR_PERMISSION_ERROR", message: "not yours" } }),
    });
    expect(result).toEqual({ outcome: "failed", code: "ECR_PERMISSION_ERROR", message: "not yours" });
  });

  test("a file that is not there fails the run by its name", async () => {
    const { result } = await nextflow({
      files: { "main.nf": MAIN },
      inputs: { reads: "s3://data/absent.txt" },
      bring: () => ({ paths: {} }),
    });
    expect(result).toMatchObject({ outcome: "failed", code: "INPUT_URI_NOT_FOUND", message: "s3://data/absent.txt does not exist" });
  });

  test("a cancelled run ends its tasks and says so", async () => {
    const { result, events } = await nextflow({
      files: { "main.nf": "process LONG { container 'x'; script: 'sleep 600' }\nworkflow { LONG() }" },
      onEvent: async (event, engine) => {
        if (event.type === "task.started") void engine.cancel();
      },
    });
    expect(result).toEqual({ outcome: "cancelled" });
    expect(events.find((event) => event.type === "task.ended")).toMatchObject({ outcome: "cancelled" });
  });

  test("a pipeline that does not parse says so in Nextflow's words", async () => {
    const { result } = await nextflow({ files: { "main.nf": "workflow { nobody( }" } });
    expect(result).toMatchObject({ outcome: "failed", code: "WORKFLOW_RUN_FAILED" });
  });
});
