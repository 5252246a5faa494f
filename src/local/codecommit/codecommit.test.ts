import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DeleteUserPolicyCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import {
  CodeCommitClient,
  CreateCommitCommand,
  CreatePullRequestCommand,
  CreateRepositoryCommand,
  GetBranchCommand,
  GetCommentsForPullRequestCommand,
  GetDifferencesCommand,
  GetFileCommand,
  GetPullRequestCommand,
  MergePullRequestByFastForwardCommand,
  MergePullRequestBySquashCommand,
  PostCommentForPullRequestCommand,
} from "@aws-sdk/client-codecommit";
import { GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { gitCredential } from "./git-password.ts";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let accounts: TestAccounts;
let codecommit: CodeCommitClient;
beforeAll(async () => {
  accounts = await startAccounts();
  codecommit = new CodeCommitClient(accounts.config());
});
/** Where repositories are cloned. */
const folder = mkdtempSync(join(tmpdir(), "omx-git-"));
afterAll(async () => {
  await accounts[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const emptyFolder = (): string => mkdtempSync(join(folder, "clone-"));

const git = async (cwd: string, ...args: string[]) => {
  const { execFile } = await import("node:child_process");
  return new Promise<string>((resolve, reject) =>
    execFile(
      "git",
      ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main", ...args],
      { cwd, env: { ...process.env, GIT_TERMINAL_PROMPT: "0" } },
      (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(stdout)),
    ),
  );
};

function remote(repository: string, profile: "cicd" | "developer" | "approver"): string {
  const { credentials } = accounts.config(profile);
  const { username, password } = gitCredential({
    ...credentials,
    region: "us-east-1",
    host: new URL(accounts.url).host,
    path: `/v1/repos/${repository}`,
    now: new Date(),
  });
  return (
    accounts.url.replace("http://", `http://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`) + `/v1/repos/${repository}`
  );
}

async function pushed(repositoryName: string): Promise<string> {
  await codecommit.send(new CreateRepositoryCommand({ repositoryName }));
  const folder = emptyFolder();
  await git(folder, "init", "--quiet");
  writeFileSync(join(folder, "a.txt"), "one\n");
  await git(folder, "add", ".");
  await git(folder, "commit", "--quiet", "-m", "first");
  await git(folder, "push", "--quiet", remote(repositoryName, "developer"), "main");
  return folder;
}

test("what is pushed can be cloned, read by path and compared", async () => {
  const folder = await pushed("readable");
  const head = (await git(folder, "rev-parse", "HEAD")).trim();
  expect((await codecommit.send(new GetBranchCommand({ repositoryName: "readable", branchName: "main" }))).branch?.commitId).toBe(head);
  const clone = emptyFolder();
  await git(clone, "clone", "--quiet", remote("readable", "cicd"), ".");
  expect(execFileSync("cat", ["a.txt"], { cwd: clone, encoding: "utf8" })).toBe("one\n");
  const file = await codecommit.send(new GetFileCommand({ repositoryName: "readable", filePath: "a.txt" }));
  expect(Buffer.from(file.fileContent ?? []).toString()).toBe("one\n");
  const { differences } = await codecommit.send(new GetDifferencesCommand({ repositoryName: "readable", afterCommitSpecifier: "main" }));
  expect(differences).toMatchObject([{ changeType: "A", afterBlob: { path: "a.txt" } }]);
});

test("who may not push is refused, and a wrong password is", async () => {
  const folder = await pushed("guarded");
  writeFileSync(join(folder, "b.txt"), "two\n");
  await git(folder, "add", ".");
  await git(folder, "commit", "--quiet", "-m", "second");
  await expect(git(folder, "push", remote("guarded", "approver"), "main")).rejects.toThrow(/403/);
  await expect(git(folder, "push", remote("guarded", "developer").replace(/(:[^:@]+)@/, "0@"), "main")).rejects.toThrow();
});

test("keys of a session clone with their token, and until they end", async () => {
  let laterMs = 0;
  const clock: Clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() + laterMs) };
  await using own = await startAccounts({}, clock);
  await new CodeCommitClient(own.config()).send(new CreateRepositoryCommand({ repositoryName: "lent" }));
  const { Credentials } = await new STSClient(own.config("developer")).send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = Credentials ?? {};
  const read = async (token: { sessionToken?: string }): Promise<number> => {
    const path = "/v1/repos/lent";
    const { username, password } = gitCredential({
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...token,
      region: "us-east-1",
      host: new URL(own.url).host,
      path,
      now: clock.now(),
    });
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    return (await fetch(`${own.url}${path}/info/refs?service=git-upload-pack`, { headers: { authorization } })).status;
  };
  expect(await read({ sessionToken: SessionToken })).toBe(200);
  expect(await read({})).toBe(403);
  expect(await read({ sessionToken: `${SessionToken}x` })).toBe(403);
  laterMs = 901_000;
  expect(await read({ sessionToken: SessionToken })).toBe(403);
});

// Linux tells in which folder a process works.
test.skipIf(!existsSync("/proc/self/cwd"))("of a client that goes away in the middle no process is left", async () => {
  await pushed("left");
  const { username, password, pathname } = new URL(remote("left", "developer"));
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
  const sent = request(`${accounts.url}${pathname}/git-upload-pack`, {
    method: "POST",
    headers: { authorization, "content-type": "application/x-git-upload-pack-request", "content-encoding": "gzip", "content-length": 1000 },
  });
  sent.on("error", () => undefined);
  sent.write(gzipSync("0032want ").subarray(0, 12));
  const atWork = () => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && cwdOf(pid).startsWith(join(accounts.dataDir, "git")));
  await vi.waitFor(() => expect(atWork()).not.toEqual([]), 20_000);
  sent.destroy();
  await vi.waitFor(() => expect(atWork()).toEqual([]), 20_000);
});

function cwdOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ""; // it has ended
  }
}

test("a policy may close one branch to pushes, commits and merges", async () => {
  const folder = await pushed("protected");
  const protection = {
    Effect: "Deny",
    Action: ["codecommit:GitPush", "codecommit:CreateCommit", "codecommit:MergePullRequestBySquash"],
    Resource: "*",
    Condition: { StringEqualsIfExists: { "codecommit:References": ["refs/heads/main"] }, Null: { "codecommit:References": "false" } },
  };
  const iam = new IAMClient(accounts.config());
  const policy = { UserName: "developer", PolicyName: "protect-main" };
  await iam.send(
    new PutUserPolicyCommand({
      ...policy,
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ ...protection, Resource: "arn:aws:codecommit:*:*:protected" }],
      }),
    }),
  );
  try {
    await git(folder, "checkout", "--quiet", "-b", "change");
    writeFileSync(join(folder, "a.txt"), "two\n");
    await git(folder, "commit", "--quiet", "-a", "-m", "second");
    await git(folder, "push", "--quiet", remote("protected", "developer"), "change");
    await expect(git(folder, "push", remote("protected", "developer"), "change:main")).rejects.toThrow(/403/);
    await expect(git(folder, "push", remote("protected", "developer"), "change:other", "change:main")).rejects.toThrow(/403/);
    expect(await git(folder, "ls-remote", remote("protected", "developer"))).not.toContain("refs/heads/other");
    const developer = new CodeCommitClient(accounts.config("developer"));
    const head = (await developer.send(new GetBranchCommand({ repositoryName: "protected", branchName: "main" }))).branch?.commitId;
    await expect(
      developer.send(
        new CreateCommitCommand({
          repositoryName: "protected",
          branchName: "main",
          parentCommitId: head,
          putFiles: [{ filePath: "x", fileContent: Buffer.from("x") }],
        }),
      ),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
    const { pullRequest } = await developer.send(
      new CreatePullRequestCommand({
        title: "Change",
        targets: [{ repositoryName: "protected", sourceReference: "change", destinationReference: "main" }],
      }),
    );
    await expect(
      developer.send(new MergePullRequestBySquashCommand({ pullRequestId: pullRequest?.pullRequestId, repositoryName: "protected" })),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
    await git(folder, "push", "--quiet", remote("protected", "cicd"), "change:main");
  } finally {
    await iam.send(new DeleteUserPolicyCommand(policy));
  }
});

test("commits are written without a clone", async () => {
  await codecommit.send(new CreateRepositoryCommand({ repositoryName: "written" }));
  const commit = (more: object) => codecommit.send(new CreateCommitCommand({ repositoryName: "written", branchName: "main", ...more }));
  const first = await commit({
    putFiles: [
      { filePath: "a b/one.txt", fileContent: Buffer.from("one\n") },
      { filePath: "run.sh", fileContent: Buffer.from("#!/bin/sh\n"), fileMode: "EXECUTABLE" },
    ],
    commitMessage: "first",
    authorName: "Dev",
    email: "dev@example.org",
  });
  expect(first.filesAdded?.map(({ absolutePath }) => absolutePath)).toEqual(["a b/one.txt", "run.sh"]);
  const second = await commit({
    parentCommitId: first.commitId,
    putFiles: [{ filePath: "a b/one.txt", fileContent: Buffer.from("two\n") }],
    deleteFiles: [{ filePath: "run.sh" }],
    commitMessage: "second",
  });
  expect(second).toMatchObject({
    filesAdded: [],
    filesUpdated: [{ absolutePath: "a b/one.txt" }],
    filesDeleted: [{ absolutePath: "run.sh" }],
  });
  const clone = emptyFolder();
  await git(clone, "clone", "--quiet", remote("written", "developer"), ".");
  expect((await git(clone, "log", "--format=%an %s")).trim().split("\n")).toEqual(["cicd second", "Dev first"]);
  expect((await git(clone, "ls-files")).trim()).toBe("a b/one.txt");
  const again = { putFiles: [{ filePath: "a b/one.txt", fileContent: Buffer.from("two\n") }] };
  await expect(commit(again)).rejects.toMatchObject({ name: "ParentCommitIdRequiredException" });
  await expect(commit({ ...again, parentCommitId: first.commitId })).rejects.toMatchObject({ name: "ParentCommitIdOutdatedException" });
  await expect(commit({ ...again, parentCommitId: second.commitId })).rejects.toMatchObject({ name: "NoChangeException" });
  await expect(
    commit({ parentCommitId: second.commitId, putFiles: [{ filePath: "../x", fileContent: Buffer.from("x") }] }),
  ).rejects.toMatchObject({ name: "InvalidPathException" });
  await expect(commit({ branchName: "other", ...again })).rejects.toMatchObject({ name: "BranchDoesNotExistException" });
});

test("a pull request is opened, commented, squashed, and closed", async () => {
  const folder = await pushed("reviewed");
  await git(folder, "checkout", "--quiet", "-b", "change");
  for (const text of ["two", "three"]) {
    writeFileSync(join(folder, "a.txt"), `${text}\n`);
    await git(folder, "commit", "--quiet", "-a", "-m", text);
  }
  await git(folder, "push", "--quiet", remote("reviewed", "developer"), "change");
  const developer = new CodeCommitClient(accounts.config("developer"));
  const { pullRequest } = await developer.send(
    new CreatePullRequestCommand({
      title: "Change a",
      targets: [{ repositoryName: "reviewed", sourceReference: "change", destinationReference: "main" }],
    }),
  );
  const pullRequestId = pullRequest?.pullRequestId;
  const target = pullRequest?.pullRequestTargets?.[0];
  await codecommit.send(
    new PostCommentForPullRequestCommand({
      pullRequestId,
      repositoryName: "reviewed",
      beforeCommitId: target?.destinationCommit,
      afterCommitId: target?.sourceCommit,
      content: "checked",
      clientRequestToken: "x",
    }),
  );
  await codecommit.send(
    new PostCommentForPullRequestCommand({
      pullRequestId,
      repositoryName: "reviewed",
      beforeCommitId: target?.destinationCommit,
      afterCommitId: target?.sourceCommit,
      content: "checked",
      clientRequestToken: "x",
    }),
  );
  expect((await codecommit.send(new GetCommentsForPullRequestCommand({ pullRequestId }))).commentsForPullRequestData).toHaveLength(1);
  const merged = await developer.send(new MergePullRequestBySquashCommand({ pullRequestId, repositoryName: "reviewed" }));
  expect(merged.pullRequest?.pullRequestStatus).toBe("CLOSED");
  const file = await codecommit.send(new GetFileCommand({ repositoryName: "reviewed", filePath: "a.txt" }));
  expect(Buffer.from(file.fileContent ?? []).toString()).toBe("three\n");
  await expect(
    developer.send(new MergePullRequestByFastForwardCommand({ pullRequestId, repositoryName: "reviewed" })),
  ).rejects.toMatchObject({ name: "PullRequestAlreadyClosedException" });
  expect(
    (await codecommit.send(new GetPullRequestCommand({ pullRequestId }))).pullRequest?.pullRequestTargets?.[0]?.mergeMetadata?.isMerged,
  ).toBe(true);
});
