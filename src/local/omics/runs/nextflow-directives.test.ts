import { ListRunTasksCommand } from "@aws-sdk/client-omics";
import { expect, test } from "vitest";
import { hasDocker } from "../../engines/testing/docker.ts";
import { hasNextflow } from "../../engines/testing/nextflow.ts";
import { openLab } from "../testing/omics.ts";

// What a process may say of where it runs: whatever it says, it is a task of the run, in a container, in its own folder.
const PIPELINE = {
  "main.nf": `
process NONE {
  container ''
  publishDir '/mnt/workflow/pubdir'
  input: path text
  output: path 'none.txt'
  script: "greet; cat $text > none.txt; test -e /.dockerenv && echo contained >> none.txt"
}
process GRID {
  executor 'slurm'
  publishDir '/mnt/workflow/pubdir/../logs'
  output: path 'grid.txt'
  script: "echo x > grid.txt; mkdir -p /mnt/workflow/output; echo direct > /mnt/workflow/output/direct.txt"
}
process GPU {
  accelerator 1, type: 'nvidia-tesla-t4'
  publishDir '/mnt/workflow/pubdir'
  output: path 'shm.txt'
  script: "stat -f -c '%b %S' /dev/shm > shm.txt"
}
process APART {
  scratch true
  publishDir '/mnt/workflow/pubdir'
  output: path 'apart.txt'
  script: "echo apart > apart.txt"
}
params.text = null
workflow {
  NONE(file(params.text))
  GRID()
  GPU()
  APART()
}
`,
  "bin/greet": "#!/bin/sh\necho from the definition\n",
};

test.skipIf(!hasDocker() || !hasNextflow())(
  "every process of Nextflow is a task in a container, whatever its directives say",
  { timeout: 240_000 },
  async () => {
    await using lab = await openLab({ containers: "docker" });
    const id = await lab.start({ workflowId: await lab.workflow(PIPELINE), parameters: { text: await lab.put("in.txt", "hello\n") } });
    const { status, statusMessage } = await lab.ended(id);
    expect([status, statusMessage]).toEqual(["COMPLETED", undefined]);
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
    expect(items.map(({ name, gpus, instanceType }) => [name, gpus, instanceType]).toSorted()).toEqual([
      ["APART", 0, "omics.c.large"],
      ["GPU", 1, "omics.g4dn.xlarge"],
      ["GRID", 0, "omics.c.large"],
      ["NONE", 0, "omics.c.large"],
    ]);
    expect(await lab.get(`runs/${id}/pubdir/none.txt`)).toBe("hello\ncontained\n");
    const [blocks = 0, blockBytes = 0] = (await lab.get(`runs/${id}/pubdir/shm.txt`)).trim().split(" ").map(Number);
    expect(blocks * blockBytes).toBe(8 * 1024 ** 3);
    expect(await lab.keys(`runs/${id}/`)).toEqual(
      ["logs/engine.log", "output/direct.txt", "pubdir/apart.txt", "pubdir/none.txt", "pubdir/shm.txt"].map((key) => `runs/${id}/${key}`),
    );
  },
);
