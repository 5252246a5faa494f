import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerRelease, type Consoles, openRelease, startConsoles } from "./testing/consoles.ts";
import { BUCKET, waitingRelease } from "./testing/release.ts";

let lab: Consoles;
beforeAll(async () => {
  lab = await startConsoles();
});
afterAll(() => lab?.[Symbol.asyncDispose]());

describe("the page of a release", () => {
  test("shows stages, tests, changes, images and where it comes from", async () => {
    const { text, status } = await openRelease(lab.approver, "shown", await waitingRelease(lab.accounts, "shown"));
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
    const id = await waitingRelease(lab.accounts, "images");
    const s3 = new S3Client(lab.accounts.config());
    const before = (await openRelease(lab.approver, "images", id)).text;
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
    const text = (await openRelease(lab.approver, "images", id)).text
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
    const unknown = (await openRelease(lab.approver, "images", id)).text;
    expect(unknown).toContain("What they were in 1.2.0 is not known");
    expect(unknown).toContain("No version is in production yet");
    expect(unknown).not.toMatch(/Images are the same|>the same</);
  });

  test("is found from the list of workflows", async () => {
    const id = await waitingRelease(lab.accounts, "listed");
    for (const page of ["/", "/workflows/listed"])
      expect(await (await fetch(lab.approver.url + page)).text()).toMatch(
        new RegExp(`waits for approval</span>(?:(?!<tr>)[^])*/releases/listed/${id}`),
      );
  });

  test("is followed by events until the release has ended", async () => {
    const id = await waitingRelease(lab.accounts, "followed");
    const page = await openRelease(lab.approver, "followed", id);
    const events = fetch(`${lab.approver.url}/releases/followed/${id}/events`, { headers: { cookie: page.cookie } }).then((response) =>
      response.text(),
    );
    await answerRelease(lab.approver, `followed/${id}`, page, { verdict: "approve", comment: "fine", csrf: page.csrf });
    const text = await events;
    expect(text).toContain("event: part");
    expect(text).toMatch(/event: ended\ndata:\s*$/);
    expect(text).toContain("approved");
  });

  test("of a workflow or an execution that is not there says so", async () => {
    const id = await waitingRelease(lab.accounts, "known");
    expect(await openRelease(lab.approver, "unknown", id)).toMatchObject({
      status: 404,
      text: expect.stringContaining("no pipeline of that workflow"),
    });
    expect(await openRelease(lab.approver, "known", "00000000-0000-4000-8000-000000000000")).toMatchObject({
      status: 404,
      text: expect.stringContaining("no release of this id"),
    });
  });
});
