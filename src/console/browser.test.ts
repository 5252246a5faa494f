import { existsSync } from "node:fs";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import type { Console } from "./console.ts";
import { BUCKET, consoleAs, prepare, waitingRelease } from "./testing/release.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// A machine without Chromium runs none of these; with CI set that is a failure.
describe.runIf(existsSync(CHROMIUM) || process.env["CI"])("in a browser", () => {
  let accounts: TestAccounts;
  let approver: Console;
  let browser: Browser;
  beforeAll(async () => {
    accounts = await startAccounts();
    await prepare(accounts);
    [approver, browser] = await Promise.all([consoleAs(accounts, "approver"), chromium.launch({ executablePath: CHROMIUM, args: ARGS })]);
  });
  afterAll(async () => {
    await browser?.close();
    await approver.close();
    await accounts[Symbol.asyncDispose]();
  });

  /** A page that fails the test for whatever its policy refuses or its script throws. */
  async function newPage(width: number): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    page.setDefaultTimeout(10_000);
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    return { page, complaints };
  }

  test("an approver finds the release, approves it, and another's page shows it without a reload", async () => {
    const id = await waitingRelease(accounts, "lived");
    const [{ page, complaints }, other] = await Promise.all([newPage(1200), newPage(400)]);
    await page.goto(`${approver.url}/workflows/lived`);
    await page.getByRole("link", { name: /^Release .* of lived$/ }).click();
    await other.page.goto(`${approver.url}/releases/lived/${id}`);
    await page.getByLabel("Why").fill("variants are as planted");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("variants are as planted").waitFor();
    await other.page.getByText("variants are as planted").waitFor();
    expect(await other.page.getByRole("button", { name: "Approve" }).count()).toBe(0);
    expect([...complaints, ...other.complaints]).toEqual([]);
    await Promise.all([page.close(), other.page.close()]);
  });

  test("a comment half written stays while the page is kept current", async () => {
    const id = await waitingRelease(accounts, "typed");
    const { page } = await newPage(1200);
    await page.goto(`${approver.url}/releases/typed/${id}`);
    await page.getByLabel("Why").fill("half a sent");
    await new S3Client(accounts.config()).send(
      new PutObjectCommand({ Bucket: BUCKET, Key: "evidence/typed/1.2.1/notes.txt", Body: "looked at" }),
    );
    await page.getByRole("link", { name: "notes.txt" }).waitFor();
    expect(await page.getByLabel("Why").inputValue()).toBe("half a sent");
    await page.close();
  });

  test.each([1200, 390])("nothing is cut off at a width of %i", async (width) => {
    // As long as a name may be, with no place to break.
    const workflow = `w${"ide".repeat(12)}${width}`;
    const id = await waitingRelease(accounts, workflow);
    const { page, complaints } = await newPage(width);
    for (const path of ["/", `/workflows/${workflow}`, `/releases/${workflow}/${id}`]) {
      await page.goto(approver.url + path);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("a report of a workflow runs in its frame and can't reach the page", async () => {
    const id = await waitingRelease(accounts, "framed");
    const { page } = await newPage(1200);
    await page.goto(`${approver.url}/releases/framed/${id}`);
    await page.getByText("output files of").click();
    await page.getByRole("link", { name: "View out/report.html" }).click();
    const frame = page.frameLocator("iframe");
    await frame.getByText("made by the workflow").waitFor();
    expect(await frame.locator("html").getAttribute("data-kept")).toBe("out");
    expect(await frame.locator("html").evaluate("self.origin")).toBe("null");
    await page.close();
  });

  test("an output is saved, not opened", async () => {
    const id = await waitingRelease(accounts, "saved");
    const { page } = await newPage(1200);
    await page.goto(`${approver.url}/releases/saved/${id}`);
    await page.getByText("output files of").click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "out/variants (all).vcf" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("variants (all).vcf");
    await page.close();
  });
});
