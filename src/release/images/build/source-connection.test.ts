import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isPassing } from "../../../aws/passing.ts";
import { faultProxy } from "../../../oci/testing/fault-proxy.ts";
import { openSourceLab, scratch, type SourceLab, tarGz } from "../testing/source-lab.ts";
import { fetchSource } from "./source-folder.ts";

let lab: SourceLab;
beforeAll(async () => {
  lab = await openSourceLab();
}, 120_000);
afterAll(() => lab?.[Symbol.asyncDispose](), 120_000);

describe("a connection to S3 that breaks", () => {
  const large = randomBytes(3_000_000);
  const sources = async () => [
    await lab.put(
      "cut.tar.gz",
      await tarGz([
        { name: "Dockerfile", text: "FROM scratch\n" },
        { name: "large", text: large.toString("base64") },
      ]),
    ),
    await lab.put("cut.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\n"), large: Buffer.from(large.toString("base64")) })),
    (await lab.put("cut/large", large.toString("base64"))).replace("large", ""),
  ];
  async function through(decide: Parameters<typeof faultProxy>[1], uri: string): Promise<string | undefined> {
    await using proxy = await faultProxy(lab.accounts.url, decide);
    const folder = join(scratch(), "context");
    await fetchSource(new S3Client({ ...lab.accounts.config(), endpoint: proxy.url }), uri, folder);
    return readFileSync(join(folder, "large"), "utf8");
  }

  test("a source is read on from where it broke, however it is packed", async () => {
    for (const uri of await sources())
      for (const cut of [
        { kind: "cut", afterBytes: 1 },
        { kind: "cut", afterBytes: 1_000_000 },
      ] as const)
        expect(
          (await through(
            ({ path, headers }) => (path.includes("/cut") && headers.range === undefined && !path.includes("list-type") ? cut : undefined),
            uri,
          )) === large.toString("base64"),
        ).toBe(true);
  }, 60_000);

  test("one that breaks again and again is told as such, to be tried again, and never as the archive's fault", async () => {
    for (const uri of await sources())
      for (const again of [{ kind: "cut", afterBytes: 0 }, { kind: "reset" }] as const) {
        const failure = await through(({ path, headers }) => {
          if (path.includes("list-type")) return undefined;
          return headers.range === undefined ? { kind: "cut", afterBytes: 500_000 } : again;
        }, uri).catch((error: unknown) => error);
        expect(failure).toMatchObject({
          name: "ObjectCutShort",
          message: expect.stringMatching(/^s3:\/\/sources\/cut\S*: the connection broke again and again after \d+ bytes/),
        });
        expect(isPassing(failure)).toBe(true);
      }
  }, 60_000);
});
