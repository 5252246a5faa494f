import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { awsClients } from "../../aws/clients.ts";
import { readObject, writeObject } from "../../aws/objects.ts";
import { type CodeLab, codeLab } from "../../local/codebuild/testing/code-lab.ts";
import { startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { describeEvent } from "../events.ts";
import { hasty, PLACE } from "../images/testing/image-lab.ts";
import { awaitResult } from "./await-result.ts";
import { answerForBuild } from "./lost-build.ts";
import { BUNDLE_VARIABLE, HANDED_OVER_VARIABLE } from "./result.ts";

// Accounts of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const BUCKET = `omx-releases-${PLACE.account}-${PLACE.region}`;
const [EARLIER, HANDED_OVER] = ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"];

let accounts: TestAccounts;
let lab: CodeLab;
beforeAll(async () => {
  accounts = await startAccounts();
  lab = codeLab(accounts);
  await lab.archive(BUCKET, {});
  // What a killed build leaves: an end, and nothing said.
  await lab.project("omx-release", { version: 0.2, phases: { build: { commands: ["exit 9"] } } });
});
afterAll(() => accounts[Symbol.asyncDispose]());

/** Has a build of a bundle's version end without a word, and production look at it. */
async function lose(version: string, handedOverAt = HANDED_OVER) {
  const said: string[] = [];
  const clients = awsClients(accounts.config());
  const { id = "" } = await lab.build("omx-release", {
    environmentVariablesOverride: [
      { name: BUNDLE_VARIABLE, value: `s3://${BUCKET}/demo/${version}` },
      { name: HANDED_OVER_VARIABLE, value: handedOverAt },
    ],
  });
  const answer = await answerForBuild(
    { clients, place: PLACE, cicd: PLACE, clock: hasty, target: accounts.config(), emit: (event) => said.push(describeEvent(event)) },
    id,
  );
  return { id, answer, said, clients };
}

const at = (version: string) => ({ bucket: BUCKET, key: `demo/${version}/result.json` });
const answered = (version: string, handedOverAt: string) =>
  writeObject(awsClients(accounts.config()).s3, at(version), JSON.stringify({ ...PLACE, status: "ACTIVE", handedOverAt, message: "done" }));

test("a build that ends without a word is answered for: the cicd account's wait is over, and says which build and where its log is", async () => {
  const { id, answer, clients } = await lose("1.0.0");
  expect(answer).toMatchObject({ status: "FAILED" });
  // Each look is half an hour after the one before: without an answer the wait ends, too, and says so.
  let looks = 0;
  const clock = { now: () => new Date(Date.UTC(2026, 0, 2, 0, 30 * looks++)), sleep: () => Promise.resolve() };
  const result = await awaitResult(
    { s3: clients.s3, clock, emit: () => undefined },
    { workflow: "demo", version: "1.0.0", handedOverAt: HANDED_OVER },
    PLACE,
  );
  expect(result).toMatchObject({
    ...PLACE,
    status: "FAILED",
    handedOverAt: HANDED_OVER,
    message: expect.stringContaining(`the build ${id} of account 111122223333 ended FAILED`) as string,
  });
  expect(result.message).toMatch(/see its log \/aws\/codebuild\/omx-release:[0-9a-f-]+ there$/);
});

test("what a build answered itself stays, as does the answer to a later hand-over; one to an earlier is none", async () => {
  for (const [version, there] of [
    ["1.0.1", HANDED_OVER],
    ["1.0.2", "2026-01-03T00:00:00.000Z"],
  ] as const) {
    await answered(version, there);
    expect((await lose(version)).answer).toBeUndefined();
    expect(JSON.parse((await readObject(awsClients(accounts.config()).s3, at(version))).toString("utf8"))).toMatchObject({
      status: "ACTIVE",
    });
  }
  await answered("1.0.3", EARLIER);
  expect((await lose("1.0.3")).answer).toMatchObject({ status: "FAILED", handedOverAt: HANDED_OVER });
});
