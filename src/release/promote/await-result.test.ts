import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { awsClients } from "../../aws/clients.ts";
import { writeObject } from "../../aws/objects.ts";
import { PRODUCTION, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { type Fault, faultProxy } from "../../oci/testing/fault-proxy.ts";
import { describeEvent } from "../events.ts";
import { hasty } from "../images/testing/image-lab.ts";
import { awaitResult } from "./await-result.ts";
import type { ReleaseResult } from "./result.ts";

const PLACE = { account: PRODUCTION, region: REGION };
const BUCKET = `omx-releases-${PRODUCTION}-${REGION}`;
const HANDED_OVER = "2026-01-02T00:00:00.000Z";

let accounts: TestAccounts;
let s3: S3Client;
beforeAll(async () => {
  accounts = await startAccounts();
  s3 = new S3Client(accounts.config("production"));
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  s3.destroy();
  await accounts[Symbol.asyncDispose]();
});

const write = (version: string, result: Partial<ReleaseResult>) =>
  writeObject(
    s3,
    { bucket: BUCKET, key: `demo/${version}/result.json` },
    JSON.stringify({ ...PLACE, status: "ACTIVE", handedOverAt: HANDED_OVER, message: "done", ...result }),
  );

/** Waits as the production account; what was said decides how its S3 fails. */
async function wait(version: string, fail: (said: readonly string[]) => Fault | undefined = () => undefined) {
  const said: string[] = [];
  await using proxy = await faultProxy(accounts.url, () => fail(said));
  const { region, credentials } = accounts.config("production");
  const { s3: failing } = awsClients({ region, credentials, endpoint: proxy.url });
  const result = await awaitResult(
    { s3: failing, clock: hasty, emit: (event) => said.push(describeEvent(event)) },
    { workflow: "demo", version, handedOverAt: HANDED_OVER },
    PLACE,
  ).catch((error: Error) => error);
  return { result, said };
}

test.each<readonly [string, Fault]>([
  ["can't be reached", { kind: "reset" }],
  ["answers that it can't now", { kind: "answer", status: 503 }],
])("the wait goes on while S3 %s", async (_how, fault) => {
  const version = fault.kind === "reset" ? "1.0.0" : "1.0.1";
  await write(version, {});
  const { result, said } = await wait(version, (before) => (before.length < 2 ? fault : undefined));
  expect(result).toMatchObject({ status: "ACTIVE", message: "done" });
  expect(said).toEqual([expect.stringContaining("still waiting: s3://omx-releases-"), expect.stringContaining("still waiting")]);
});

test("what does not pass ends the wait", async () => {
  const denied = await wait("1.0.2", () => ({
    kind: "answer",
    status: 403,
    body: "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
  }));
  expect(denied.result).toMatchObject({ name: "AccessDenied" });
});

test("the refusal of a bundle that could not be read is the answer, an older result is not", async () => {
  await write("1.0.3", { status: "REFUSED", handedOverAt: "", at: "2026-01-02T00:00:05.000Z", message: "not whole" });
  expect((await wait("1.0.3")).result).toMatchObject({ status: "REFUSED", message: "not whole" });
  await write("1.0.4", { status: "REFUSED", handedOverAt: "", at: "2026-01-01T00:00:05.000Z" });
  let hours = 0;
  const clock = { now: () => new Date(Date.UTC(2026, 0, 2, hours++)), sleep: () => Promise.resolve() };
  expect(
    await awaitResult({ s3, clock, emit: () => undefined }, { workflow: "demo", version: "1.0.4", handedOverAt: HANDED_OVER }, PLACE),
  ).toMatchObject({ status: "FAILED", message: "production wrote no result.json within 90 minutes" });
});
