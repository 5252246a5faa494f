import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CodePipelineClient, GetPipelineExecutionCommand, StartPipelineExecutionCommand } from "@aws-sdk/client-codepipeline";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { findApproval } from "../release/approval/approval.ts";
import type { Console } from "./console.ts";
import { startConsole } from "./console.ts";
import { systemClock } from "../kit/clock.ts";
import { awsClients } from "../aws/clients.ts";
import { BUCKET, consoleAs, prepare, waitingRelease } from "./testing/release.ts";

let accounts: TestAccounts;
let approver: Console;
let developer: Console;
let s3: S3Client;
beforeAll(async () => {
  accounts = await startAccounts();
  s3 = new S3Client(accounts.config());
  await prepare(accounts);
  [approver, developer] = await Promise.all([consoleAs(accounts, "approver"), consoleAs(accounts, "developer")]);
});
afterAll(async () => {
  await Promise.all([approver.close(), developer.close()]);
  await accounts[Symbol.asyncDispose]();
});

/** The page of a release as a browser without scripts has it: its text, its cookie and the token of its form. */
async function open(console: Console, workflow: string, id: string) {
  const answer = await fetch(`${console.url}/releases/${workflow}/${id}`);
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    headers: answer.headers,
    cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "",
    csrf: /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? "",
  };
}

type Opened = Awaited<ReturnType<typeof open>>;
interface Answer {
  readonly verdict: string;
  readonly comment: string;
  readonly csrf?: string;
  readonly headers?: Record<string, string>;
}

const answer = (console: Console, where: string, { cookie }: Opened, { headers, ...fields }: Answer) =>
  fetch(`${console.url}/releases/${where}/decision`, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { cookie, origin: console.url, ...headers },
    redirect: "manual",
  });

const ended = (workflow: string, pipelineExecutionId: string) =>
  vi.waitFor(
    async () => {
      const { pipelineExecution } = await new CodePipelineClient(accounts.config()).send(
        new GetPipelineExecutionCommand({ pipelineName: `omx-${workflow}`, pipelineExecutionId }),
      );
      expect(pipelineExecution?.status).not.toBe("InProgress");
      return pipelineExecution?.status;
    },
    { timeout: 90_000, interval: 50 },
  );

/** fetch sets Host itself. */
const statusAs = (url: string, host: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });

describe("the page of a release", () => {
  test("shows stages, tests, changes, images and where it comes from", async () => {
    const { text, status } = await open(approver, "shown", await waitingRelease(accounts, "shown"));
    expect(status).toBe(200);
    for (const part of [
      "shown 1.2.1",
      "Source",
      "Approve",
      "waiting",
      "variants.vcf has 12 lines",
      "1 min 15 s",
      "tasks ran in Docker",
      "Changes since 1.2.0",
      "now required",
      `sha256:${"ab".repeat(32)}`,
      "developer",
      "variants (all).vcf",
      "Ada Lovelace",
      "version 1.2.1 is ACTIVE",
      "9876543",
    ])
      expect(text).toContain(part);
    expect(text).toContain("phage &lt;lambda&gt;");
    expect(text).not.toContain("phage <lambda>");
  });

  test("shows what each image is, and what became of it since the last release; of a record of before what it has", async () => {
    const id = await waitingRelease(accounts, "images");
    const before = (await open(approver, "images", id)).text;
    expect(before).toMatch(/bwa:0\.7\.18[^]*not known[^]*not known[^]*the same/);
    const at = { Bucket: BUCKET, Key: "evidence/images/1.2.1/build.json" };
    const record = JSON.parse(await (await s3.send(new GetObjectCommand(at))).Body!.transformToString()) as {
      images: object[];
      differences: object;
    };
    const image = (name: string, digest: string, bytes: number) => ({
      image: name,
      source: `mirror.example/${name}`,
      target: `t/${name}@${digest}`,
      digest,
      platforms: ["linux/amd64", "linux/arm64"],
      bytes,
    });
    const differences = {
      ...record.differences,
      images: [
        { name: "grown:1", change: "changed", before: "sha256:01", after: "sha256:02", bytesBefore: 1_000_000 },
        { name: "new:1", change: "added", after: "sha256:03" },
        { name: "gone:1", change: "removed", before: "sha256:04", bytesBefore: 7_000_000 },
      ],
    };
    await s3.send(
      new PutObjectCommand({
        ...at,
        Body: JSON.stringify({
          ...record,
          images: [image("grown:1", "sha256:02", 3_500_000), image("new:1", "sha256:03", 20_000), image("kept:1", "sha256:05", 500)],
          differences,
        }),
      }),
    );
    const text = (await open(approver, "images", id)).text
      .replaceAll(/<[^>]*>|\s+/g, " ")
      .replaceAll(/ +(?=,)/g, "")
      .replaceAll(/ +/g, " ");
    expect(text).toContain(
      "grown:1 from mirror.example/grown:1 t/grown:1 sha256:02 linux/amd64, linux/arm64 3.5 MB other digest was sha256:01, 2.5 MB larger",
    );
    expect(text).toMatch(
      /new:1 from \S+ t\/new:1 sha256:03 linux\/amd64, linux\/arm64 20\.0 kB new kept:1 \S+ \S+ \S+ sha256:05 linux\/amd64, linux\/arm64 500 B the same gone:1 sha256:04 7\.0 MB removed/,
    );
    expect(text).toContain("Images: 1 new, 1 removed, 1 with another digest.");
    await s3.send(
      new PutObjectCommand({
        ...at,
        Body: JSON.stringify({ ...record, differences: { ...record.differences, isSinceUnreleased: true, areImagesUnknown: true } }),
      }),
    );
    const unknown = (await open(approver, "images", id)).text;
    expect(unknown).toContain("What they were in 1.2.0 is not known");
    expect(unknown).toContain("No version is in production yet");
    expect(unknown).not.toMatch(/Images are the same|>the same</);
  });

  test("is found from the list of workflows", async () => {
    const id = await waitingRelease(accounts, "listed");
    for (const page of ["/", "/workflows/listed"])
      expect(await (await fetch(approver.url + page)).text()).toMatch(
        new RegExp(`waits for approval</span>(?:(?!<tr>)[^])*/releases/listed/${id}`),
      );
  });

  test("is followed by events until the release has ended", async () => {
    const id = await waitingRelease(accounts, "followed");
    const page = await open(approver, "followed", id);
    const events = fetch(`${approver.url}/releases/followed/${id}/events`, { headers: { cookie: page.cookie } }).then((response) =>
      response.text(),
    );
    await answer(approver, `followed/${id}`, page, { verdict: "approve", comment: "fine", csrf: page.csrf });
    const text = await events;
    expect(text).toContain("event: part");
    expect(text).toMatch(/event: ended\ndata:\s*$/);
    expect(text).toContain("approved");
  });

  test("of a workflow or an execution that is not there says so", async () => {
    const id = await waitingRelease(accounts, "known");
    expect(await open(approver, "unknown", id)).toMatchObject({
      status: 404,
      text: expect.stringContaining("no pipeline of that workflow"),
    });
    expect(await open(approver, "known", "00000000-0000-4000-8000-000000000000")).toMatchObject({
      status: 404,
      text: expect.stringContaining("no release of this id"),
    });
  });
});

describe("an answer", () => {
  test("of the approver releases, and the record says who, when and why", async () => {
    const id = await waitingRelease(accounts, "approved");
    const page = await open(approver, "approved", id);
    const response = await answer(approver, `approved/${id}`, page, {
      verdict: "approve",
      comment: "variants are as planted",
      csrf: page.csrf,
    });
    expect([response.status, response.headers.get("location")]).toEqual([303, `/releases/approved/${id}`]);
    expect(await ended("approved", id)).toBe("Succeeded");
    const { text } = await open(approver, "approved", id);
    for (const part of [">approved<", `arn:aws:iam::${CICD}:user/approver`, "variants are as planted", "UTC"]) expect(text).toContain(part);
    expect(text).not.toContain("<form");
    // No build of this pipeline named what it made: nothing can be released under the approval.
    await expect(
      findApproval(new CodePipelineClient(accounts.config()), { workflow: "approved", pipelineExecutionId: id, content: "sha256:" }),
    ).rejects.toMatchObject({
      code: "NotApproved",
      message: expect.stringContaining(`${CICD}:user/approver approved what execution ${id} of omx-approved built, which has no digest`),
      fix: expect.stringContaining("deploy omx, then push again"),
    });
  });

  test("that rejects ends the release, with the reason kept", async () => {
    const id = await waitingRelease(accounts, "rejected");
    const page = await open(approver, "rejected", id);
    await answer(approver, `rejected/${id}`, page, { verdict: "reject", comment: "reads became required", csrf: page.csrf });
    expect(await ended("rejected", id)).toBe("Failed");
    const { text } = await open(approver, "rejected", id);
    for (const part of [">rejected<", "<blockquote>reads became required</blockquote>", "user/approver"]) expect(text).toContain(part);
  });

  test("of the developer is refused in plain words, and changes nothing", async () => {
    const id = await waitingRelease(accounts, "refused");
    const page = await open(developer, "refused", id);
    for (const verdict of ["approve", "reject"]) {
      const response = await answer(developer, `refused/${id}`, page, { verdict, comment: "mine", csrf: page.csrf });
      expect(response.status).toBe(403);
      expect(await response.text()).toContain(`user/developer may not do this`);
    }
    expect((await open(approver, "refused", id)).text).toContain("Approve or reject");
  });

  test("given twice is refused the second time", async () => {
    const id = await waitingRelease(accounts, "twice");
    const page = await open(approver, "twice", id);
    await answer(approver, `twice/${id}`, page, { verdict: "approve", comment: "yes", csrf: page.csrf });
    const second = await answer(approver, `twice/${id}`, page, { verdict: "reject", comment: "no", csrf: page.csrf });
    expect(second.status).toBe(409);
    expect(await second.text()).toContain("was approved by");
  });

  test("to a release that waits behind another one is not given to the other", async () => {
    const first = await waitingRelease(accounts, "queued");
    const { pipelineExecutionId: second = "" } = await new CodePipelineClient(accounts.config()).send(
      new StartPipelineExecutionCommand({ name: "omx-queued" }),
    );
    const page = await open(approver, "queued", first);
    const response = await answer(approver, `queued/${second}`, page, { verdict: "approve", comment: "too early", csrf: page.csrf });
    expect(response.status).toBe(409);
    expect((await open(approver, "queued", first)).text).toContain("Approve or reject");
  });

  test("without a reason, a verdict or a session of this console is refused", async () => {
    const id = await waitingRelease(accounts, "guarded");
    const page = await open(approver, "guarded", id);
    const other = await open(approver, "guarded", id);
    const status = async (fields: Answer, opened = page) => (await answer(approver, `guarded/${id}`, opened, fields)).status;
    const good = { verdict: "approve", comment: "yes", csrf: page.csrf };
    expect(await status({ ...good, comment: " " })).toBe(400);
    expect(await status({ ...good, verdict: "maybe" })).toBe(400);
    expect(await status({ ...good, comment: "x".repeat(513) })).toBe(400);
    expect(await status({ ...good, comment: "x".repeat(50_000) })).toBe(413);
    expect(await status({ verdict: "approve", comment: "yes" })).toBe(403);
    expect(await status({ ...good, csrf: other.csrf })).toBe(403);
    expect(await status(good, { ...page, cookie: "" })).toBe(403);
    expect(await status({ ...good, headers: { origin: "https://evil.example" } })).toBe(403);
    expect(await status({ ...good, headers: { origin: approver.reportsUrl } })).toBe(403);
    expect(await status({ ...good, headers: { origin: "null" } })).toBe(403);
    expect(await status({ ...good, headers: { "sec-fetch-site": "cross-site" } })).toBe(403);
    expect((await open(approver, "guarded", id)).text).toContain("Approve or reject");
  });
});

describe("the console's door", () => {
  test("no script but its own runs, nobody frames it, its cookie is out of reach", async () => {
    const { headers } = await open(approver, "door", await waitingRelease(accounts, "door"));
    const policy = headers.get("content-security-policy") ?? "";
    for (const directive of [
      "default-src 'self'",
      "script-src 'self';",
      "frame-ancestors 'none'",
      "form-action 'self'",
      "base-uri 'none'",
      `frame-src ${approver.reportsUrl}`,
    ])
      expect(policy).toContain(directive);
    expect(policy).not.toContain("unsafe");
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cache-control": "no-store",
    });
    expect(headers.get("set-cookie")).toMatch(/HttpOnly; SameSite=Strict/);
  });

  test("a foreign name is not answered, on either port", async () => {
    for (const url of [approver.url, approver.reportsUrl]) {
      expect(await statusAs(url, "evil.example")).toBe(403);
      expect(await statusAs(url, `evil.example:${new URL(url).port}`)).toBe(403);
    }
    expect(await statusAs(approver.url, `localhost:${new URL(approver.url).port}`)).toBe(200);
  });

  test("a refusal has the headers too", async () => {
    const { headers, status } = await fetch(`${approver.url}/nothing`);
    expect(status).toBe(404);
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
  });

  test("a port in use is said", async () => {
    const { endpoint, region, credentials } = accounts.config("approver");
    await expect(
      startConsole({
        clients: awsClients({ endpoint, region, credentials }),
        region,
        account: CICD,
        port: Number(new URL(approver.url).port),
        clock: systemClock,
      }),
    ).rejects.toThrow(/port \d+ of 127\.0\.0\.1 is in use/);
  });
});

describe("files", () => {
  test("of the release are downloaded under their name; others are not handed out", async () => {
    const where = `${approver.url}/releases/files/${await waitingRelease(accounts, "files")}/download?uri=`;
    const file = await fetch(where + encodeURIComponent(`s3://${BUCKET}/test-outputs/files/1234567/out/variants (all).vcf`));
    expect(await file.text()).toBe("##fileformat=VCFv4.2\n");
    expect(Object.fromEntries(file.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": "attachment; filename=\"variants__all_.vcf\"; filename*=UTF-8''variants%20%28all%29.vcf",
    });
    for (const uri of [`s3://${BUCKET}/test-outputs/other/9/out/secret.txt`, `s3://${BUCKET}/sources/files.zip`, "nonsense", ""])
      expect((await fetch(where + encodeURIComponent(uri))).status).toBe(404);
  });

  test("that are reports come from another origin, sandboxed, without cookies, and only where a page of ours links", async () => {
    const uri = `s3://${BUCKET}/test-outputs/reports/1234567/out/report.html`;
    const page = await (
      await fetch(`${approver.url}/releases/reports/${await waitingRelease(accounts, "reports")}/report?uri=${encodeURIComponent(uri)}`)
    ).text();
    const source = /<iframe[^>]* src="([^"]+)" sandbox="allow-scripts"/.exec(page)?.[1] ?? "";
    expect(new URL(source).origin).toBe(approver.reportsUrl);
    expect(approver.reportsUrl).not.toBe(approver.url);
    const report = await fetch(source);
    expect(await report.text()).toContain("made by the workflow");
    expect(report.headers.get("set-cookie")).toBeNull();
    for (const directive of ["sandbox allow-scripts", "connect-src 'none'", `frame-ancestors ${approver.url}`])
      expect(report.headers.get("content-security-policy")).toContain(directive);
    const forged = source.replace(/[^/]+$/, Buffer.from(`s3://${BUCKET}/test-outputs/other/9/out/secret.txt`).toString("base64url"));
    expect((await fetch(forged)).status).toBe(403);
    expect((await fetch(source, { headers: { "sec-fetch-dest": "document" } })).status).toBe(403);
  });
});
