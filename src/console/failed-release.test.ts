import { CodeCommitClient, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { build, commitSource, type PipelineLab, zipSource } from "../local/codepipeline/testing/pipeline-lab.ts";
import { type PipelinePage, pipelinePage } from "./testing/release.ts";

const MS = 120_000;

let site: PipelinePage;
let lab: PipelineLab;
beforeAll(async () => {
  site = await pipelinePage("empty");
  ({ lab } = site);
  await new CodeCommitClient(site.accounts.config()).send(new CreateRepositoryCommand({ repositoryName: "unpushed" }));
}, MS);
afterAll(() => site?.[Symbol.asyncDispose](), MS);

test(
  "a release whose build failed says why: the end of the build's log, and how to read all of it and to try again",
  async () => {
    const buildspec = JSON.stringify({
      version: "0.2",
      phases: { build: { commands: ["echo 'quay.io/lab/tool:1: quay.io does not have it'; exit 1"] } },
    });
    await lab.project("images", buildspec, {
      source: { type: "CODEPIPELINE", buildspec },
      artifacts: { type: "CODEPIPELINE" },
      actions: ["s3:GetObject", "s3:PutObject"],
    });
    const id = await lab.pipeline("omx-failing", { Source: [{ ...zipSource("sources"), name: "Source" }], Build: [build("images")] });
    expect((await lab.ended("omx-failing", id)).status).toBe("Failed");
    const page = await vi.waitFor(
      async () => {
        const text = await site.read(`/releases/failing/${id}`);
        const [, log = ""] = /<pre class="log">([^]*?)<\/pre>/.exec(text) ?? [];
        expect(log).toMatch(/^quay\.io\/lab\/tool:1: quay\.io does not have it$/m);
        return text;
      },
      { timeout: 60_000, interval: 100 },
    );
    expect(page).toContain(`<code>omx release logs failing --execution ${id}</code>`);
    expect(page).toContain(`<code>omx release retry failing --execution ${id}</code>`);
    expect(page).toContain("This release ended before its build left any.");
  },
  MS,
);

test.each([
  ["whose branch is not there", "unpushed", commitSource("unpushed"), "nothing pushed yet"],
  ["that could not be read", "unread", zipSource("empty"), "source could not be read"],
])(
  "a source %s is no failed release, and what came in beside it is not shown as the commit",
  async (_, workflow, source, says) => {
    const toolkit = { ...zipSource("sources"), name: "Toolkit", outputArtifacts: [{ name: "Toolkit" }], namespace: "Toolkit" };
    const build = { name: "Build", actionTypeId: { category: "Approval", owner: "AWS", provider: "Manual", version: "1" } } as const;
    const id = await lab.pipeline(`omx-${workflow}`, { Source: [{ ...source, name: "Source" }, toolkit], Build: [build] });
    await lab.ended(`omx-${workflow}`, id);
    for (const path of [`/workflows/${workflow}`, `/releases/${workflow}/${id}`]) {
      const page = await site.read(path);
      expect(page).toMatch(/no commit\b(?! message)/);
      expect(page).not.toMatch(/version id/i);
      expect(page).toContain(says);
      expect(page.includes("nothing pushed yet") || page.includes("nothing was pushed yet")).toBe(workflow === "unpushed");
      expect(page).not.toContain("omx release retry");
    }
  },
  MS,
);
