import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { awsClients } from "../aws/clients.ts";
import { systemClock } from "../kit/clock.ts";
import { CICD } from "../local/testing/accounts.ts";
import { startConsole } from "./console.ts";
import { type Consoles, openRelease, startConsoles } from "./testing/consoles.ts";
import { waitingRelease } from "./testing/release.ts";

let lab: Consoles;
beforeAll(async () => {
  lab = await startConsoles();
});
afterAll(() => lab?.[Symbol.asyncDispose]());

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

describe("the console's door", () => {
  test("no script but its own runs, nobody frames it, its cookie is out of reach", async () => {
    const { headers } = await openRelease(lab.approver, "door", await waitingRelease(lab.accounts, "door"));
    const policy = headers.get("content-security-policy") ?? "";
    for (const directive of [
      "default-src 'self'",
      "script-src 'self';",
      "frame-ancestors 'none'",
      "form-action 'self'",
      "base-uri 'none'",
      `frame-src ${lab.approver.reportsUrl}`,
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
    for (const url of [lab.approver.url, lab.approver.reportsUrl]) {
      expect(await statusAs(url, "evil.example")).toBe(403);
      expect(await statusAs(url, `evil.example:${new URL(url).port}`)).toBe(403);
    }
    expect(await statusAs(lab.approver.url, `localhost:${new URL(lab.approver.url).port}`)).toBe(200);
  });

  test("a refusal has the headers too", async () => {
    const { headers, status } = await fetch(`${lab.approver.url}/nothing`);
    expect(status).toBe(404);
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
  });

  test("a port in use is said", async () => {
    const { endpoint, region, credentials } = lab.accounts.config("approver");
    await expect(
      startConsole({
        clients: awsClients({ endpoint, region, credentials }),
        region,
        account: CICD,
        port: Number(new URL(lab.approver.url).port),
        clock: systemClock,
      }),
    ).rejects.toThrow(/port \d+ of 127\.0\.0\.1 is in use/);
  });
});
