import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { CodeCommitClient, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateWorkflowCommand, GetWorkflowCommand, OmicsClient, type DefinitionRepository } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemClock } from "../../kit/clock.ts";
import { gitCredential } from "../codecommit/git-password.ts";
import { openLab, policyOf, zipOf, type OmicsLab } from "./testing/omics.ts";

// A definition from a CodeCommit repository of the account: which commit, which files, which template, which README.

vi.setConfig({ testTimeout: 120_000 });

const connectionArn = "arn:aws:codeconnections:us-east-1:111122223333:connection/1";
const wdl = (name: string) => `version 1.1\nworkflow ${name} { input { String who } output { String said = who } }`;

let lab: OmicsLab;
/** The commits of `main`, oldest first. */
let commits: readonly string[];
beforeAll(async () => {
  lab = await openLab();
  await new CodeCommitClient(lab.config).send(new CreateRepositoryCommand({ repositoryName: "flows" }));
  const folder = mkdtempSync(join(tmpdir(), "omx-flows-"));
  const git = async (...args: string[]) =>
    (
      await promisify(execFile)("git", ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main", ...args], {
        cwd: folder,
        env: { ...process.env, GIT_TERMINAL_PROMPT: "0" },
      })
    ).stdout.trim();
  const commit = async (files: Readonly<Record<string, string>>, message: string) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    await git("add", ".");
    await git("commit", "--quiet", "-m", message);
    return git("rev-parse", "HEAD");
  };
  await git("init", "--quiet");
  const first = await commit(
    { "main.wdl": wdl("First"), "README.md": "# First", "docs/use.md": "# Use", "docs/template.json": '{"who": {"description": "whom"}}' },
    "first",
  );
  await git("tag", "v1");
  const second = await commit(
    { "main.wdl": wdl("Second"), "README.md": "# Second", "tests/deep/main.wdl": "not WDL", "large.bam": "x" },
    "second",
  );
  await git("checkout", "--quiet", "-b", "next");
  await commit({ "main.wdl": wdl("Next") }, "next");
  const { endpoint, credentials } = lab.config;
  const path = "/v1/repos/flows";
  const { username, password } = gitCredential({
    ...credentials,
    region: "us-east-1",
    host: new URL(endpoint).host,
    path,
    now: systemClock.now(),
  });
  const remote = `${endpoint.replace("http://", `http://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`)}${path}`;
  await git("push", "--quiet", remote, "main", "next", "v1");
  commits = [first, second];
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

async function made(repository: Partial<DefinitionRepository>, more: object = {}) {
  const { id = "" } = await lab.omics.send(
    new CreateWorkflowCommand({ definitionRepository: { connectionArn, fullRepositoryId: "team/flows", ...repository }, ...more }),
  );
  await lab.settled(id);
  const { readme, definition = "", ...workflow } = await lab.omics.send(new GetWorkflowCommand({ id, export: ["README", "DEFINITION"] }));
  return { ...workflow, readme: readme === undefined ? undefined : await (await fetch(readme)).text(), definition };
}

test.each([
  ["a branch", () => ({ type: "BRANCH" as const, value: "next" }), /workflow Next/, "# Second"],
  ["a tag", () => ({ type: "TAG" as const, value: "v1" }), /workflow First/, "# First"],
  ["a commit", () => ({ type: "COMMIT" as const, value: commits[0] ?? "" }), /workflow First/, "# First"],
  ["nothing: the default branch", () => undefined, /workflow Second/, "# Second"],
])("the definition of %s is taken, with the README at its root", async (_what, reference, outline, readme) => {
  const sourceReference = reference();
  expect(await made({ ...(sourceReference && { sourceReference }) })).toMatchObject({
    status: "ACTIVE",
    main: "main.wdl",
    statusMessage: expect.stringMatching(outline) as string,
    readme,
    readmePath: "README.md",
    definitionRepositoryDetails: { connectionArn, fullRepositoryId: "team/flows", ...(sourceReference && { sourceReference }) },
  });
});

test("template and README of other paths are taken; without a path there is no template", async () => {
  expect(await made({}, { parameterTemplatePath: "docs/template.json", readmePath: "docs/use.md" })).toMatchObject({
    parameterTemplate: { who: { description: "whom" } },
    readme: "# Use",
    readmePath: "docs/use.md",
  });
  expect((await made({})).parameterTemplate).toBeUndefined();
});

test("what the patterns name is left out", async () => {
  const { digest } = await made({});
  const without = await made({ excludeFilePatterns: ["tests/", "*.bam", "docs/**"] });
  expect(without).toMatchObject({ status: "ACTIVE" });
  expect(without.digest).not.toBe(digest);
  const names = Buffer.from(await (await fetch(without.definition)).arrayBuffer()).toString("latin1");
  expect([names.includes("main.wdl"), names.includes("tests/"), names.includes("large.bam"), names.includes("docs/")]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(await made({ excludeFilePatterns: ["main.wdl"] })).toMatchObject({ status: "FAILED" });
});

test("whoever may not use the connection is refused; who may not read the repository gets a FAILED workflow", async () => {
  const UserName = "outsider";
  await lab.iam.send(new CreateUserCommand({ UserName }));
  await lab.iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: "arn:aws:iam::aws:policy/AmazonOmicsFullAccess" }));
  const { AccessKey } = await lab.iam.send(new CreateAccessKeyCommand({ UserName }));
  const omics = new OmicsClient({
    ...lab.config,
    credentials: { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" },
  });
  const create = () => omics.send(new CreateWorkflowCommand({ definitionRepository: { connectionArn, fullRepositoryId: "team/flows" } }));
  await expect(create()).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining("codeconnections:UseConnection") as string,
  });
  await lab.iam.send(
    new PutUserPolicyCommand({
      UserName,
      PolicyName: "connect",
      PolicyDocument: policyOf([{ Effect: "Allow", Action: "codeconnections:UseConnection", Resource: connectionArn }]),
    }),
  );
  const { id = "" } = await create();
  expect(await lab.settled(id)).toMatchObject({ status: "FAILED", statusMessage: expect.stringContaining("codecommit:") as string });
  await expect(omics.send(new CreateWorkflowCommand({ definitionZip: zipOf({ "main.wdl": wdl("Zip") }) }))).resolves.toMatchObject({
    status: "CREATING",
  });
});
