import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { approval, build, zipSource } from "../local/codepipeline/testing/pipeline-lab.ts";
import { CICD, REGION } from "../local/testing/accounts.ts";
import { BUCKET, type PipelinePage, pipelinePage } from "./testing/release.ts";

const MS = 120_000;
const ALERT = "What is shown here is not what the Build stage made";

let page: PipelinePage;
beforeAll(async () => void (page = await pipelinePage(BUCKET)), MS);
afterAll(() => page?.[Symbol.asyncDispose](), MS);

/** A build's record, its keys in no order. */
const record = (id: string) => ({
  workflow: "watched",
  version: "1.0.1",
  commit: "c0ffee",
  pipelineExecutionId: id,
  branch: "main",
  startedBy: "a push",
  cicd: { account: CICD, region: REGION },
  images: [{ image: "tool:1", source: "docker.io/library/tool:1", target: "t", digest: `sha256:${"a".repeat(64)}` }],
  files: [{ name: "definition.zip", sha256: "f", bytes: 1 }],
  differences: { parameters: [], images: [], files: [] },
  evidence: { bucket: BUCKET, prefix: "evidence/watched/1.0.1" },
});

/** What the digest is of, written down by hand: names and values in the order of the names, without what is only shown. */
const RELEASED = `[["branch","main"],["cicd",{"account":"${CICD}","region":"${REGION}"}],["commit","c0ffee"],["files",[{"name":"definition.zip","sha256":"f","bytes":1}]],["images",[{"image":"tool:1","source":"docker.io/library/tool:1","target":"t","digest":"sha256:${"a".repeat(64)}"}]],["pipelineExecutionId","'$ID'"],["startedBy","a push"],["version","1.0.1"],["workflow","watched"]]`;

test(
  "who approves is told when the evidence's record is not what the build made",
  async () => {
    const { lab, s3, read } = page;
    const buildspec = JSON.stringify({
      version: "0.2",
      env: { "exported-variables": ["OMX_CONTENT"] },
      phases: { build: { commands: [`export OMX_CONTENT="sha256:$(printf %s '${RELEASED}' | sha256sum | cut -c 1-64)"`] } },
    });
    await lab.project("watched", buildspec, {
      source: { type: "CODEPIPELINE", buildspec },
      artifacts: { type: "CODEPIPELINE" },
      actions: ["s3:GetObject", "s3:PutObject"],
    });
    const variables = {
      EnvironmentVariables: JSON.stringify([{ name: "ID", value: "#{codepipeline.PipelineExecutionId}", type: "PLAINTEXT" }]),
    };
    const id = await lab.pipeline("omx-watched", {
      Source: [zipSource("sources")],
      Build: [build("watched", variables)],
      Approve: [{ ...approval(), name: "Approve" }],
    });
    await lab.token("omx-watched", id);
    const pageOf = async (shown: object): Promise<string> => {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: "evidence/watched/1.0.1/build.json", Body: JSON.stringify(shown) }));
      return read(`/releases/watched/${id}`);
    };
    const made = record(id);
    expect(await pageOf(made)).toContain("Approve or reject");
    for (const [shown, told] of [
      [made, false],
      [{ ...made, differences: { ...made.differences, since: "1.0.0" } }, false],
      [{ ...made, files: [{ ...made.files[0], sha256: "e" }] }, true],
      [{ ...made, images: [] }, true],
      [{ ...made, promote: "copy" }, true],
    ] as const)
      expect((await pageOf(shown)).includes(ALERT), JSON.stringify(shown)).toBe(told);
  },
  MS,
);
