import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetRunCommand } from "@aws-sdk/client-omics";
import { expect, test } from "vitest";
import { openLab, type OmicsLab } from "../testing/omics.ts";

const ONE = { "main.wdl": "version 1.1\nworkflow W { call t }\ntask t { command <<< true >>> }" };

/** A run's record in its manifest, and what it says while it runs and afterwards. */
async function played(lab: OmicsLab) {
  const id = await lab.start({ workflowId: await lab.workflow(ONE) });
  const { uuid, status } = await lab.ended(id);
  const [record = "{}"] = await lab.logLines(`manifest/run/${id}/${uuid}`);
  const { statusMessage } = await lab.omics.send(new GetRunCommand({ id }));
  return {
    status,
    statusMessage,
    containers: (JSON.parse(record) as Readonly<Record<string, string>>)["omx:local:containers"],
    events: (await lab.logLines(`run/${id}`)).join("\n"),
  };
}

test("where no container engine answers, the run itself says that its tasks are not isolated", { timeout: 120_000 }, async () => {
  const programs = mkdtempSync(join(tmpdir(), "omx-programs-"));
  mkdirSync(join(programs, "bin"));
  for (const name of ["bash", "sh", "true"])
    symlinkSync([`/bin/${name}`, `/usr/bin/${name}`].find(existsSync) ?? "", join(programs, "bin", name));
  try {
    await using lab = await openLab({ containers: "auto", environment: { PATH: join(programs, "bin"), HOME: programs } });
    expect(await played(lab)).toEqual({
      status: "COMPLETED",
      containers: "host",
      statusMessage: "Tasks run on the host, not isolated: neither Docker nor Podman answers",
      events: expect.stringContaining("tasks run on the host, not isolated") as string,
    });
  } finally {
    rmSync(programs, { recursive: true });
  }
});

test("where the settings ask for the host, the manifest and the run's log say so", { timeout: 120_000 }, async () => {
  await using lab = await openLab();
  expect(await played(lab)).toMatchObject({
    status: "COMPLETED",
    containers: "host",
    statusMessage: undefined,
    events: expect.stringContaining("tasks run on the host, not isolated") as string,
  });
});
