import { CreateRepositoryCommand, GetRepositoryPolicyCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AwsClients, awsClients } from "../../aws/clients.ts";
import type { Clock } from "../../kit/clock.ts";
import { startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { type Fault, faultProxy, type SeenRequest } from "../../oci/testing/fault-proxy.ts";
import { describeEvent } from "../events.ts";
import { accountStatement, omicsStatement, type Statement } from "../images/repositories/repository-policy.ts";
import { hasty } from "../images/testing/image-lab.ts";
import { CREATED_BY } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import { keepOpen, openRepositories } from "./open-repositories.ts";

const CICD = { account: "111122223333", region: "us-east-1" };
const PRODUCTION = { account: "444455556666", region: "us-east-1" };

let accounts: TestAccounts;
let clients: AwsClients;
beforeAll(async () => {
  accounts = await startAccounts();
  clients = awsClients(accounts.config());
});
afterAll(() => accounts[Symbol.asyncDispose]());

/** Makes a repository, of somebody else unless it is said to be ours. */
async function make(
  repositoryName: string,
  { statements = [], ours = false }: { readonly statements?: readonly Statement[]; readonly ours?: boolean } = {},
): Promise<void> {
  await clients.ecr.send(
    new CreateRepositoryCommand({ repositoryName, ...(ours && { tags: [{ Key: CREATED_BY.key, Value: CREATED_BY.value }] }) }),
  );
  if (statements.length > 0)
    await clients.ecr.send(
      new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify({ Version: "2012-10-17", Statement: statements }) }),
    );
}

async function open(promote: "share" | "copy", ...repositories: readonly string[]) {
  return openMapped([], promote, ...repositories);
}

/** With images to which the user maps others. */
async function openMapped(destinations: readonly string[], promote: "share" | "copy", ...repositories: readonly string[]) {
  return openTo([PRODUCTION], { destinations, promote }, repositories);
}

interface Opening {
  readonly destinations?: readonly string[];
  readonly promote: "share" | "copy";
  readonly clock?: Clock;
  readonly as?: AwsClients;
  readonly how?: typeof openRepositories;
}

async function openTo(
  production: readonly Place[],
  { destinations = [], promote, clock = hasty, as = clients, how = openRepositories }: Opening,
  repositories: readonly string[],
) {
  const said: string[] = [];
  const images = repositories.map((repository) => ({
    image: repository,
    source: repository,
    target: `111122223333.dkr.ecr.us-east-1.amazonaws.com/${repository}@sha256:${"a".repeat(64)}`,
    digest: `sha256:${"a".repeat(64)}`,
  }));
  const error = await how(
    { clients: as, cicd: CICD, clock, emit: (event) => said.push(describeEvent(event).trim()) },
    {
      images,
      promote,
      registryMap: { imageMappings: destinations.map((destinationImage) => ({ sourceImage: "tool:1", destinationImage })) },
    },
    production,
  ).catch((reason: Error) => reason);
  return { said, error };
}

const sidsOf = (repositoryName: string) =>
  clients.ecr.send(new GetRepositoryPolicyCommand({ repositoryName })).then(
    ({ policyText = "" }) => (JSON.parse(policyText) as { Statement: Statement[] }).Statement.map(({ Sid }) => Sid),
    (error: Error) => error.name,
  );

test("a repository of ours is opened once, and repaired when its policy is gone", async () => {
  await make("open/ours", { ours: true });
  expect((await open("share", "open/ours")).said).toEqual(["open/ours: opened to 444455556666"]);
  expect((await open("share", "open/ours")).said).toEqual(["open/ours: is open to 444455556666"]);
  expect(await sidsOf("open/ours")).toEqual(["OmxHealthOmics444455556666", "OmxAccount444455556666"]);
});

test("a repository of somebody else that production may not read is told with what it lacks, and left alone; so is one that is gone", async () => {
  await make("closed/one", { statements: [omicsStatement(CICD, "Mine")] });
  await make("closed/ours", { ours: true });
  const { error, said } = await open("share", "closed/one", "closed/gone", "closed/ours");
  expect(error).toMatchObject({
    code: "ImageNotReadable",
    details: [
      expect.stringMatching(
        /^closed\/one: it is not omx's \(it has no tag createdBy=omx-ecr-helper\) and is left alone: let arn:aws:iam::444455556666:root and omics\.amazonaws\.com with aws:SourceAccount 444455556666 read it/,
      ),
      "closed/gone: it is not there any more: start the release again, which brings its images in",
    ],
  });
  expect(said).toEqual(["closed/ours: opened to 444455556666"]);
  expect(await sidsOf("closed/one")).toEqual(["Mine"]);
});

test("who may not look at a repository is told so, and not that it is gone", async () => {
  const { credentials } = accounts.config("approver");
  const nobody = awsClients({ ...accounts.config(), credentials: { ...credentials, secretAccessKey: "another" } });
  expect((await openTo([PRODUCTION], { promote: "share", as: nobody }, ["open/unseen"])).error).toMatchObject({
    name: expect.stringMatching(/InvalidSignature|UnrecognizedClient/) as string,
  });
});

test("a repository that its owner has opened serves: for a copy production's roles are enough, for sharing HealthOmics has to read for that account", async () => {
  await make("owned/roles", { statements: [accountStatement(PRODUCTION, "Roles"), omicsStatement(CICD, "Theirs")] });
  expect((await open("copy", "owned/roles")).said).toEqual(["owned/roles: is not omx's, and its owner has opened it to 444455556666"]);
  expect((await open("share", "owned/roles")).error).toMatchObject({
    details: [expect.stringContaining("let omics.amazonaws.com with aws:SourceAccount 444455556666 read it")],
  });
  await make("owned/both", {
    statements: [accountStatement(PRODUCTION, "Roles"), { ...omicsStatement(PRODUCTION, "Runs"), Action: "ecr:*" }],
  });
  expect((await open("share", "owned/both")).error).toBeUndefined();
  expect(await sidsOf("owned/both")).toEqual(["Roles", "Runs"]);
});

test("an image of this ECR to which the user maps another is shared, also where the release's own are copied; one elsewhere is nobody's to open", async () => {
  for (const name of ["mapped/own", "mapped/released"]) await make(name, { ours: true });
  const destinations = [
    "111122223333.dkr.ecr.us-east-1.amazonaws.com/mapped/own:1",
    "999900001111.dkr.ecr.us-east-1.amazonaws.com/mapped/other:1",
    "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mapped/far:1",
  ];
  expect(await openMapped(destinations, "copy", "mapped/released")).toEqual({
    said: ["mapped/released: opened to 444455556666", "mapped/own: opened to 444455556666"],
    error: undefined,
  });
  expect([await sidsOf("mapped/own"), await sidsOf("mapped/released")]).toEqual([
    ["OmxHealthOmics444455556666", "OmxAccount444455556666"],
    ["OmxAccount444455556666"],
  ]);
});

test("of two regions of one account HealthOmics reads in the cicd account's, the roles of both have one statement", async () => {
  await make("regions/ours", { ours: true });
  const places = [PRODUCTION, { ...PRODUCTION, region: "eu-west-1" }];
  expect((await openTo(places, { promote: "share" }, ["regions/ours"])).said).toEqual(["regions/ours: opened to 444455556666"]);
  expect((await openTo(places, { promote: "share" }, ["regions/ours"])).said).toEqual(["regions/ours: is open to 444455556666"]);
  const { policyText = "" } = await clients.ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "regions/ours" }));
  expect((JSON.parse(policyText) as { Statement: Statement[] }).Statement).toEqual([
    expect.objectContaining({
      Sid: "OmxHealthOmics444455556666",
      Condition: expect.objectContaining({ ArnLike: { "aws:SourceArn": "arn:aws:omics:us-east-1:444455556666:*" } }) as unknown,
    }),
    expect.objectContaining({ Sid: "OmxAccount444455556666" }),
  ]);
});

/** A clock for several: when all of them wait, the one whose wait ends first goes on. So nobody is overtaken while it works. */
function sharedClock(parties: number): { readonly clock: Clock; leave(): void } {
  const waiting: { readonly until: number; readonly wake: () => void }[] = [];
  let [nowMs, working] = [0, parties];
  const rest = (): void => {
    working -= 1;
    const next = working === 0 ? waiting.sort((a, b) => a.until - b.until).shift() : undefined;
    if (!next) return;
    [nowMs, working] = [next.until, 1];
    next.wake();
  };
  return {
    leave: rest,
    clock: {
      now: () => new Date(nowMs),
      sleep: (ms) =>
        new Promise((wake) => {
          waiting.push({ until: nowMs + ms, wake });
          rest();
        }),
    },
  };
}

test("promotions that write the policy of one repository at once lose no statement", async () => {
  await make("busy/ours", { ours: true, statements: [omicsStatement(CICD, "OmxHealthOmics")] });
  const productions = Array.from({ length: 8 }, (_each, index) => ({ account: `44445555000${index}`, region: "us-east-1" }));
  const { clock, leave } = sharedClock(productions.length);
  const outcomes = await Promise.all(
    productions.map((place) => openTo([place], { promote: "share", clock }, ["busy/ours"]).finally(leave)),
  );
  expect(outcomes.map(({ error, said }) => error ?? said)).toEqual(productions.map(({ account }) => [`busy/ours: opened to ${account}`]));
  expect([...(await sidsOf("busy/ours"))].sort()).toEqual(
    [...productions.flatMap(({ account }) => [`OmxAccount${account}`, `OmxHealthOmics${account}`]), "OmxHealthOmics"].sort(),
  );
});

test("where somebody takes omx's statements out again and again, that is said", async () => {
  await make("undone/ours", { ours: true });
  const undo = (): Promise<void> =>
    clients.ecr
      .send(
        new SetRepositoryPolicyCommand({
          repositoryName: "undone/ours",
          policyText: JSON.stringify({ Version: "2012-10-17", Statement: [accountStatement(CICD, "Theirs")] }),
        }),
      )
      .then(() => undefined);
  const { error } = await openTo([PRODUCTION], { promote: "share", clock: { now: hasty.now, sleep: undo } }, ["undone/ours"]);
  expect(error).toMatchObject({
    code: "ImageNotReadable",
    message: expect.stringContaining("undone/ours lost what omx writes into them 6 times") as string,
  });
  expect(await sidsOf("undone/ours")).toEqual(["Theirs"]);
});

/** A way to ECR on which the first write of a policy waits for `until`, and then goes on, or fails so. */
async function slowWay(until: Promise<unknown>, then?: Fault) {
  let arrived = (): void => undefined;
  const waits = new Promise<void>((resolve) => (arrived = resolve));
  const isWrite = ({ headers }: SeenRequest): boolean => String(headers["x-amz-target"]).endsWith(".SetRepositoryPolicy");
  let writes = 0;
  const proxy = await faultProxy(accounts.url, (seen) => {
    if (!isWrite(seen) || writes++ > 0) return undefined;
    arrived();
    return { kind: "hold", until, ...(then && { then }) };
  });
  const { region, credentials } = accounts.config();
  return {
    proxy,
    waits,
    clients: awsClients({ region, credentials, endpoint: proxy.url }),
    writes: () => proxy.seen.filter(isWrite).length,
  };
}

/** Statements of two production accounts, and what the repository had before. */
const both = (...productions: readonly Place[]) =>
  [...productions.flatMap(({ account }) => [`OmxAccount${account}`, `OmxHealthOmics${account}`]), "OmxHealthOmics"].sort();
const FIRST = { account: "444455550001", region: "us-east-1" };
const SECOND = { account: "444455550002", region: "us-east-1" };

test("what a write takes out that arrives long after its policy was read is put back at the end of the stage, in whichever order they end", async () => {
  await make("late/ours", { ours: true, statements: [omicsStatement(CICD, "OmxHealthOmics")] });
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = await slowWay(promise);
  await using _proxy = late.proxy;
  const second = openTo([SECOND], { promote: "share", as: late.clients }, ["late/ours"]);
  await late.waits;
  expect((await openTo([FIRST], { promote: "share" }, ["late/ours"])).said).toEqual(["late/ours: opened to 444455550001"]);
  resolve();
  expect((await second).error).toBeUndefined();
  expect(((await sidsOf("late/ours")) as readonly string[]).toSorted()).toEqual(both(SECOND));

  expect(await openTo([FIRST], { promote: "share", how: keepOpen }, ["late/ours"])).toEqual({
    said: [expect.stringMatching(/^late\/ours: opened to 444455550001 once more: .*CloudTrail/)],
    error: undefined,
  });
  expect(await openTo([SECOND], { promote: "share", how: keepOpen }, ["late/ours"])).toEqual({ said: [], error: undefined });
  expect(((await sidsOf("late/ours")) as readonly string[]).toSorted()).toEqual(both(FIRST, SECOND));
});

test("a write that failed is not sent again as it was: the policy is read anew", async () => {
  await make("failed/ours", { ours: true, statements: [omicsStatement(CICD, "OmxHealthOmics")] });
  const { promise, resolve } = Promise.withResolvers<void>();
  const failing = await slowWay(promise, { kind: "answer", status: 503 });
  await using _proxy = failing.proxy;
  const second = openTo([SECOND], { promote: "share", as: failing.clients }, ["failed/ours"]);
  await failing.waits;
  await openTo([FIRST], { promote: "share" }, ["failed/ours"]);
  resolve();
  expect(await second).toEqual({ said: ["failed/ours: opened to 444455550002"], error: undefined });
  expect(((await sidsOf("failed/ours")) as readonly string[]).toSorted()).toEqual(both(FIRST, SECOND));
  expect(failing.writes()).toBe(2);
});

test("what production has copies of need not be open when the stage ends; what it reads has to be", async () => {
  await make("ended/ours", { ours: true });
  expect(await openTo([PRODUCTION], { promote: "copy", how: keepOpen }, ["ended/ours", "ended/gone"])).toEqual({
    said: [],
    error: undefined,
  });
  expect((await openTo([PRODUCTION], { promote: "share", how: keepOpen }, ["ended/gone"])).error).toMatchObject({
    code: "ImageNotReadable",
    details: [expect.stringContaining("ended/gone: it is not there any more")],
  });
});
