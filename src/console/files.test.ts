import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Consoles, startConsoles } from "./testing/consoles.ts";
import { BUCKET, waitingRelease } from "./testing/release.ts";

let lab: Consoles;
beforeAll(async () => {
  lab = await startConsoles();
});
afterAll(() => lab?.[Symbol.asyncDispose]());

describe("files", () => {
  test("of the release are downloaded under their name; others are not handed out", async () => {
    const where = `${lab.approver.url}/releases/files/${await waitingRelease(lab.accounts, "files")}/download?uri=`;
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
      await fetch(
        `${lab.approver.url}/releases/reports/${await waitingRelease(lab.accounts, "reports")}/report?uri=${encodeURIComponent(uri)}`,
      )
    ).text();
    const source = /<iframe[^>]* src="([^"]+)" sandbox="allow-scripts"/.exec(page)?.[1] ?? "";
    expect(new URL(source).origin).toBe(lab.approver.reportsUrl);
    expect(lab.approver.reportsUrl).not.toBe(lab.approver.url);
    const report = await fetch(source);
    expect(await report.text()).toContain("made by the workflow");
    expect(report.headers.get("set-cookie")).toBeNull();
    for (const directive of ["sandbox allow-scripts", "connect-src 'none'", `frame-ancestors ${lab.approver.url}`])
      expect(report.headers.get("content-security-policy")).toContain(directive);
    const forged = source.replace(/[^/]+$/, Buffer.from(`s3://${BUCKET}/test-outputs/other/9/out/secret.txt`).toString("base64url"));
    expect((await fetch(forged)).status).toBe(403);
    expect((await fetch(source, { headers: { "sec-fetch-dest": "document" } })).status).toBe(403);
  });
});
