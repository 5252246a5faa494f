import { CodePipelineClient, GetPipelineExecutionCommand, StartPipelineExecutionCommand } from "@aws-sdk/client-codepipeline";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD } from "../local/testing/accounts.ts";
import { findApproval } from "../release/approval/approval.ts";
import { type Answer, answerRelease, type Consoles, openRelease, startConsoles } from "./testing/consoles.ts";
import { waitingRelease } from "./testing/release.ts";

let lab: Consoles;
beforeAll(async () => {
  lab = await startConsoles();
});
afterAll(() => lab?.[Symbol.asyncDispose]());

const ended = (workflow: string, pipelineExecutionId: string) =>
  vi.waitFor(
    async () => {
      const { pipelineExecution } = await new CodePipelineClient(lab.accounts.config()).send(
        new GetPipelineExecutionCommand({ pipelineName: `omx-${workflow}`, pipelineExecutionId }),
      );
      expect(pipelineExecution?.status).not.toBe("InProgress");
      return pipelineExecution?.status;
    },
    { timeout: 90_000, interval: 50 },
  );

describe("an answer", () => {
  test("of the approver releases, and the record says who, when and why", async () => {
    const id = await waitingRelease(lab.accounts, "approved");
    const page = await openRelease(lab.approver, "approved", id);
    const response = await answerRelease(lab.approver, `approved/${id}`, page, {
      verdict: "approve",
      comment: "variants are as planted",
      csrf: page.csrf,
    });
    expect([response.status, response.headers.get("location")]).toEqual([303, `/releases/approved/${id}`]);
    expect(await ended("approved", id)).toBe("Succeeded");
    const { text } = await openRelease(lab.approver, "approved", id);
    for (const part of [">approved<", `arn:aws:iam::${CICD}:user/approver`, "variants are as planted", "UTC"]) expect(text).toContain(part);
    expect(text).not.toContain("<form");
    // No build of this pipeline named what it made: nothing can be released under the approval.
    await expect(
      findApproval(new CodePipelineClient(lab.accounts.config()), { workflow: "approved", pipelineExecutionId: id, content: "sha256:" }),
    ).rejects.toMatchObject({
      code: "NotApproved",
      message: expect.stringContaining(`${CICD}:user/approver approved what execution ${id} of omx-approved built, which has no digest`),
      fix: expect.stringContaining("deploy omx, then push again"),
    });
  });

  test("that rejects ends the release, with the reason kept", async () => {
    const id = await waitingRelease(lab.accounts, "rejected");
    const page = await openRelease(lab.approver, "rejected", id);
    await answerRelease(lab.approver, `rejected/${id}`, page, { verdict: "reject", comment: "reads became required", csrf: page.csrf });
    expect(await ended("rejected", id)).toBe("Failed");
    const { text } = await openRelease(lab.approver, "rejected", id);
    for (const part of [">rejected<", "<blockquote>reads became required</blockquote>", "user/approver"]) expect(text).toContain(part);
  });

  test("of the developer is refused in plain words, and changes nothing", async () => {
    const id = await waitingRelease(lab.accounts, "refused");
    const page = await openRelease(lab.developer, "refused", id);
    for (const verdict of ["approve", "reject"]) {
      const response = await answerRelease(lab.developer, `refused/${id}`, page, { verdict, comment: "mine", csrf: page.csrf });
      expect(response.status).toBe(403);
      expect(await response.text()).toContain(`user/developer may not do this`);
    }
    expect((await openRelease(lab.approver, "refused", id)).text).toContain("Approve or reject");
  });

  test("given twice is refused the second time", async () => {
    const id = await waitingRelease(lab.accounts, "twice");
    const page = await openRelease(lab.approver, "twice", id);
    await answerRelease(lab.approver, `twice/${id}`, page, { verdict: "approve", comment: "yes", csrf: page.csrf });
    const second = await answerRelease(lab.approver, `twice/${id}`, page, { verdict: "reject", comment: "no", csrf: page.csrf });
    expect(second.status).toBe(409);
    expect(await second.text()).toContain("was approved by");
  });

  test("to a release that waits behind another one is not given to the other", async () => {
    const first = await waitingRelease(lab.accounts, "queued");
    const { pipelineExecutionId: second = "" } = await new CodePipelineClient(lab.accounts.config()).send(
      new StartPipelineExecutionCommand({ name: "omx-queued" }),
    );
    const page = await openRelease(lab.approver, "queued", first);
    const response = await answerRelease(lab.approver, `queued/${second}`, page, {
      verdict: "approve",
      comment: "too early",
      csrf: page.csrf,
    });
    expect(response.status).toBe(409);
    expect((await openRelease(lab.approver, "queued", first)).text).toContain("Approve or reject");
  });

  test("without a reason, a verdict or a session of this console is refused", async () => {
    const id = await waitingRelease(lab.accounts, "guarded");
    const page = await openRelease(lab.approver, "guarded", id);
    const other = await openRelease(lab.approver, "guarded", id);
    const status = async (fields: Answer, opened = page) => (await answerRelease(lab.approver, `guarded/${id}`, opened, fields)).status;
    const good = { verdict: "approve", comment: "yes", csrf: page.csrf };
    expect(await status({ ...good, comment: " " })).toBe(400);
    expect(await status({ ...good, verdict: "maybe" })).toBe(400);
    expect(await status({ ...good, comment: "x".repeat(513) })).toBe(400);
    expect(await status({ ...good, comment: "x".repeat(50_000) })).toBe(413);
    expect(await status({ verdict: "approve", comment: "yes" })).toBe(403);
    expect(await status({ ...good, csrf: other.csrf })).toBe(403);
    expect(await status(good, { ...page, cookie: "" })).toBe(403);
    expect(await status({ ...good, headers: { origin: "https://evil.example" } })).toBe(403);
    expect(await status({ ...good, headers: { origin: lab.approver.reportsUrl } })).toBe(403);
    expect(await status({ ...good, headers: { origin: "null" } })).toBe(403);
    expect(await status({ ...good, headers: { "sec-fetch-site": "cross-site" } })).toBe(403);
    expect((await openRelease(lab.approver, "guarded", id)).text).toContain("Approve or reject");
  });
});
