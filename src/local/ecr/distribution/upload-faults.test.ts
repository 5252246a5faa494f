import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type ClientRequest, request } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noise } from "../../../oci/testing/sample-images.ts";
import { startKillable } from "../../omics/testing/killable.ts";
import { canMount, mountSmallDisk } from "../../testing/small-disk.ts";
import { conformanceRegistry, digestBy, locationOf, octets, ONE } from "../testing/conformance.ts";
import { createRepository, signIn } from "../testing/registry.ts";

const registry = conformanceRegistry();
const MIB = 1024 * 1024;

const begin = async (): Promise<string> => locationOf(await registry.user.http("POST", `${ONE}/blobs/uploads/`));
/** Bytes that an upload has, by its status; of one that has one byte or none, none. */
const received = async (location: string, user = registry.user): Promise<number> => {
  const last = Number(/^0-(\d+)$/.exec((await user.http("GET", location)).headers.get("range")!)![1]!);
  return last === 0 ? 0 : last + 1;
};
const finish = (location: string, digest: string, body: Uint8Array = Buffer.alloc(0), headers: Readonly<Record<string, string>> = {}) =>
  registry.user.http("PUT", `${location}?digest=${digest}`, { body, headers: { ...octets, ...headers } });
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code];

interface Sending {
  readonly sent: ClientRequest;
  /** Its answer, or that it has none. */
  readonly status: Promise<number | undefined>;
}

interface Where {
  readonly url: string;
  readonly password: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const here = (): Where => ({ url: registry.url, password: registry.user.password });

/** A request that sends so much of its body and then nothing, until it is told to go on. */
function beginToSend(
  location: string,
  body: Uint8Array,
  contentLength: number | undefined,
  { url, password, headers = {} }: Where = here(),
): Sending {
  const sent = request(new URL(location, url), {
    method: "PATCH",
    headers: {
      ...octets,
      ...(contentLength !== undefined && { "content-length": String(contentLength) }),
      authorization: `Basic ${Buffer.from(`AWS:${password}`).toString("base64")}`,
      ...headers,
    },
  });
  const answered = new Promise<number | undefined>((resolve) => {
    sent.on("response", (answer) => resolve(answer.resume().statusCode)).on("error", () => resolve(undefined));
  });
  sent.write(body);
  return { sent, status: answered };
}

describe("a sender that stops in the middle", () => {
  test("of five gigabytes it claims takes no more than it sent, keeps nobody waiting, and can go on", async () => {
    const [bytes, location] = [noise("five gigabytes", 3 * MIB), await begin()];
    const slow = beginToSend(location, bytes.subarray(0, MIB), 5 * 1024 * MIB);
    // What is written in large pieces is not all seen at once.
    await expect.poll(() => received(location), { timeout: 60_000 }).toBeGreaterThan(0);
    // Others go on; a second part of the same upload does not.
    expect((await registry.user.http("GET", `${ONE}/tags/list`)).status).toBe(200);
    expect(await codeOf(await registry.user.http("PATCH", location, { body: "more" }))).toEqual([409, "BLOB_UPLOAD_INVALID"]);
    expect(await codeOf(await finish(location, digestBy("sha256", bytes)))).toEqual([409, "BLOB_UPLOAD_INVALID"]);
    slow.sent.destroy();
    const goOn = async () => {
      const first = await received(location);
      return (
        await registry.user.http("PATCH", location, {
          body: bytes.subarray(first, 2 * MIB),
          headers: { "content-range": `${first}-${2 * MIB - 1}` },
        })
      ).status;
    };
    await expect.poll(goOn, { timeout: 60_000 }).toBe(202);
    const made = await finish(location, digestBy("sha256", bytes), bytes.subarray(2 * MIB));
    expect(made.status).toBe(201);
    expect(Buffer.from(await (await registry.user.http("GET", locationOf(made))).arrayBuffer()).equals(bytes)).toBe(true);
  });

  test("is told at once that its chunk is longer than its range", async () => {
    const streaming = beginToSend(await begin(), noise("too long", MIB), undefined, { ...here(), headers: { "content-range": "0-9" } });
    expect(await streaming.status).toBe(400);
    streaming.sent.end();
  });

  test("and whose upload is cancelled is told so", async () => {
    const location = await begin();
    const bytes = noise("cancelled", MIB);
    const slow = beginToSend(location, bytes, bytes.length + 3);
    await expect.poll(() => received(location), { timeout: 60_000 }).toBeGreaterThan(0);
    expect((await registry.user.http("DELETE", location)).status).toBe(204);
    slow.sent.end("end");
    expect(await slow.status).toBe(404);
    expect((await registry.user.http("GET", location)).status).toBe(404);
  });

  test("is not mixed up with itself trying again", async () => {
    const bytes = noise("twice", 2 * MIB);
    const digest = digestBy("sha256", bytes);
    const location = await begin();
    // A client that timed out sends the end again while the first is at work.
    const answers = await Promise.all(Array.from({ length: 6 }, () => finish(location, digest, bytes)));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    for (const answer of answers) expect([201, 400, 404, 409]).toContain(answer.status);
    expect(Buffer.from(await (await registry.user.http("GET", `${ONE}/blobs/${digest}`)).arrayBuffer()).equals(bytes)).toBe(true);
    const file = join(registry.dataDir, "blobs", digest.slice(7, 9), digest.slice(7));
    expect(digestBy("sha256", readFileSync(file))).toBe(digest);
  });
});

// Long: it starts two processes, one after the other.
test("what arrived before the process was killed is there afterwards, and the rest follows", async () => {
  await using killable = await startKillable();
  const open = () => signIn({ config: () => killable.config(), url: killable.config().endpoint });
  await using user = await open();
  await createRepository(user.ecr, ONE);
  const bytes = noise("killed", 4 * MIB);
  const location = locationOf(await user.http("POST", `${ONE}/blobs/uploads/`));
  const slow = beginToSend(location, bytes.subarray(0, 3 * MIB), bytes.length, {
    url: killable.config().endpoint,
    password: user.password,
  });
  await expect.poll(() => received(location, user), { timeout: 60_000 }).toBeGreaterThan(2 * MIB);
  await killable.kill();
  expect(await slow.status).toBeUndefined();
  await killable.start();
  await using again = await open();
  const kept = await received(location, again);
  expect(kept).toBeGreaterThan(2 * MIB);
  const digest = digestBy("sha256", bytes);
  expect((await again.http("HEAD", `${ONE}/blobs/${digest}`)).status).toBe(404);
  const made = await again.http("PUT", `${location}?digest=${digest}`, {
    body: bytes.subarray(kept),
    headers: { ...octets, "content-range": `${kept}-${bytes.length - 1}` },
  });
  expect(made.status).toBe(201);
  expect(Buffer.from(await (await again.http("GET", locationOf(made))).arrayBuffer()).equals(bytes)).toBe(true);
}, 180_000);

test.runIf(canMount())("a full disk is named before it is full, the upload stays, and is over when there is room", async () => {
  const folder = join(registry.dataDir, "work", "ecr-uploads");
  mountSmallDisk(folder, 24);
  try {
    const bytes = noise("full", 12 * MIB);
    const [first, second] = [await begin(), await begin()];
    expect((await registry.user.http("PATCH", first, { body: bytes })).status).toBe(202);
    const refused = await registry.user.http("PATCH", second, { body: bytes });
    expect([refused.status, await refused.text()]).toEqual([507, expect.stringContaining("the disk of the local accounts is full")]);
    // Without its length it is told when it comes to that, though its sender has not ended.
    const streaming = beginToSend(second, bytes, undefined);
    expect(await streaming.status).toBe(507);
    streaming.sent.end();
    expect((await registry.user.http("DELETE", first)).status).toBe(204);
    const kept = await received(second);
    const digest = digestBy("sha256", bytes);
    expect((await finish(second, digest, bytes.subarray(kept), { "content-range": `${kept}-${bytes.length - 1}` })).status).toBe(201);
    expect(Buffer.from(await (await registry.user.http("GET", `${ONE}/blobs/${digest}`)).arrayBuffer()).equals(bytes)).toBe(true);
  } finally {
    execFileSync("umount", ["--lazy", folder]);
  }
});
