import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasDocker } from "../../engines/testing/docker.ts";
import { hasNextflow } from "../../engines/testing/nextflow.ts";
import { openLab, type OmicsLab } from "../testing/omics.ts";

// What a run reads and gives out lies in its own folder: no parameter, sheet, link or output brings in a file of this machine.
const outside = mkdtempSync(join(tmpdir(), "omx-outside-"));
const SECRET = join(outside, "secret.txt");
writeFileSync(SECRET, "not for you\n");
afterAll(() => rmSync(outside, { recursive: true }));

const LANGUAGES = (["WDL", "CWL", "NEXTFLOW"] as const).filter((language) => language !== "NEXTFLOW" || hasNextflow());

/** A task that makes `out` by a command, and gives it out. */
const making = (command: string, kind: "File" | "Directory" = "File") => ({
  WDL: {
    "main.wdl": `version ${kind === "File" ? "1.1" : "development"}\nworkflow W { call t output { ${kind} out = t.out } }\ntask t { command <<< ${command} >>> output { ${kind} out = "out" } }`,
  },
  CWL: { "main.cwl": tool(`{ type: ${kind}, outputBinding: { glob: out } }`, command) },
  NEXTFLOW: {
    "main.nf": `process T {\n publishDir '/mnt/workflow/pubdir'\n output: path 'out'\n script: '${command}'\n}\nworkflow { T() }`,
  },
});

const tool = (output: string, command: string): string =>
  `{ cwlVersion: v1.2, class: CommandLineTool, requirements: { ShellCommandRequirement: {}, InlineJavascriptRequirement: {} }, arguments: [{ shellQuote: false, valueFrom: '${command}' }], inputs: { more: Any? }, outputs: { out: ${output} } }`;

const LINKS = {
  WDL: [`ln -s ${SECRET} out`, "File"],
  CWL: [`ln -s ${SECRET} out`, "File"],
  NEXTFLOW: [`mkdir out; ln -s ${SECRET} out/name; ln -s ${outside} out/all`, "Directory"],
} as const;

describe.skipIf(!hasDocker())("a run in containers", { timeout: 240_000 }, () => {
  const { run, texts, lab } = laboratory("docker");

  test.each(LANGUAGES)("%s: an output that is a link to a file of this machine fails the run", async (language) => {
    const [command, kind] = LINKS[language];
    const { id, status } = await run(making(command, kind)[language]);
    expect(status).toBe("FAILED");
    expect(await texts(id)).not.toContain("not for you");
  });

  test.skipIf(!hasNextflow())("Nextflow: a task's log is what it wrote, not what it links there", async () => {
    const { id = "" } = await run({
      "main.nf": `process T { script: 'echo said; ln -sf ${SECRET} .command.out; sleep 2' }\nworkflow { T() }`,
    });
    const { items = [] } = await lab().omics.send(new ListRunTasksCommand({ id }));
    const lines = await lab()
      .logLines(`run/${id}/task/${items[0]?.taskId}`)
      .catch(() => []);
    expect(lines.join("\n")).not.toContain("not for you");
  });
});

describe("a run on the host", { timeout: 240_000 }, () => {
  const { run, texts } = laboratory("host");

  test.each(LANGUAGES.filter((language) => language !== "NEXTFLOW"))(
    "%s: links in a folder bring nothing of this machine",
    async (language) => {
      const { id } = await run(making(`mkdir out; ln -s ${SECRET} out/name; ln -s ${outside} out/all`, "Directory")[language]);
      expect(await texts(id)).not.toContain("not for you");
    },
  );

  test("CWL: contents are read of no link out of it", async () => {
    const { id, ...ended } = await run({
      "main.cwl": tool(
        '{ type: string?, outputBinding: { glob: out, loadContents: true, outputEval: "$(self[0].contents)" } }',
        `ln -s ${SECRET} out`,
      ),
    });
    expect(ended).toMatchObject({ status: "FAILED", failureReason: "WORKFLOW_RUN_FAILED" });
    expect(await texts(id)).not.toContain("not for you");
  });

  test.each([
    [
      "a default of the tool",
      `inputs: { f: { type: File, default: { class: File, location: "file://${SECRET}" } } }, arguments: [cat, $(inputs.f.path)], stdout: out`,
    ],
    [
      "a file that an expression makes up",
      `inputs: {}, requirements: { InlineJavascriptRequirement: {}, InitialWorkDirRequirement: { listing: [{ entryname: f, entry: '$({class: "File", location: "file://${SECRET}"})' }] } }, arguments: [cat, f], stdout: out`,
    ],
  ])("CWL: %s is not given to a task", async (_, members) => {
    const { id, ...ended } = await run({
      "main.cwl": `{ cwlVersion: v1.2, class: CommandLineTool, ${members}, outputs: { out: stdout } }`,
    });
    expect(ended).toMatchObject({ status: "FAILED", failureReason: "INVALID_URI_INPUT" });
    expect(await texts(id)).not.toContain("not for you");
  });

  test("WDL: a file that the definition names is not given to a task", async () => {
    const { id, ...ended } = await run({
      "main.wdl": `version 1.1\nworkflow W { File f = "${SECRET}" call t { input: f = f } output { File out = t.out } }\ntask t { input { File f } command <<< cat ~{f} > out >>> output { File out = "out" } }`,
    });
    expect(ended).toMatchObject({ status: "FAILED", statusMessage: expect.stringContaining("secret.txt") as string });
    expect(await texts(id)).not.toContain("not for you");
  });

  test.skipIf(!hasNextflow())("Nextflow: a file that the definition gives to a task fails the run", async () => {
    const ended = await run({
      "main.nf": `process T {\n publishDir '/mnt/workflow/pubdir'\n input: path f\n output: path 'out'\n script: 'cat $f > out'\n}\nworkflow { T(file('${SECRET}')) }`,
    });
    expect(ended).toMatchObject({ status: "FAILED", failureReason: "INVALID_URI_INPUT" });
    expect(await texts(ended.id)).not.toContain("not for you");
  });
});

function laboratory(containers: "host" | "docker") {
  let opened: OmicsLab;
  beforeAll(async () => {
    opened = await openLab({ containers });
  }, 180_000);
  afterAll(() => opened[Symbol.asyncDispose]());
  return {
    lab: () => opened,
    run: async (files: Readonly<Record<string, string>>, parameters = {}) =>
      opened.ended(await opened.start({ workflowId: await opened.workflow(files), parameters })),
    texts: async (id = "") => (await Promise.all((await opened.keys(`runs/${id}/`)).map((key) => opened.get(key)))).join("\n"),
  };
}

describe.skipIf(!hasNextflow())("parameters of Nextflow", { timeout: 240_000 }, () => {
  let lab: OmicsLab;
  beforeAll(async () => {
    lab = await openLab();
  }, 180_000);
  afterAll(() => lab[Symbol.asyncDispose]());

  const READER = {
    "main.nf":
      "params.f = null\nparams.sheet = null\nworkflow { if (params.sheet) Channel.fromPath(params.sheet).splitCsv().map { file(it[0]).text }.view() else println(file(params.f).text) }",
  };

  test.each([
    SECRET,
    `file://${SECRET}`,
    `file:${SECRET}`,
    `../../../../../../../../../../../..${SECRET}`,
    `${outside}/*.txt`,
    `s3://lab-bucket/a/*/../../../../../../../..${SECRET}`,
    `/mnt/workflow/pubdir/../../../../../../../../../../../..${SECRET}`,
  ])("%s fails the run", async (f) => {
    const workflowId = await lab.workflow(READER);
    const id = await lab.start({ workflowId, parameters: { f } });
    expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "INVALID_URI_INPUT" });
    expect((await lab.logLines(`run/${id}/engine`).catch(() => [])).join("\n")).not.toContain("not for you");
  });

  test.each([
    ["sheet.csv", `${SECRET},x\n`],
    ["sheet.tsv", `a\t${SECRET}\n`],
    ["sheet.json", JSON.stringify([{ f: SECRET }]).replaceAll("/", String.raw`\/`)],
    ["sheet.yml", `- f: ${SECRET}\n`],
  ])("%s that names a file of this machine fails the run", async (name, text) => {
    const id = await lab.start({ workflowId: await lab.workflow(READER), parameters: { sheet: await lab.put(name, text) } });
    expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "INVALID_URI_INPUT" });
  });

  test("a file that is nowhere is said not to be there", async () => {
    const id = await lab.start({ workflowId: await lab.workflow(READER), parameters: { f: "/no/such/file" } });
    expect(await lab.ended(id)).toMatchObject({
      status: "FAILED",
      failureReason: "WORKFLOW_RUN_FAILED",
      statusMessage: expect.stringContaining("/no/such/file") as string,
    });
  });
});
