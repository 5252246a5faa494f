import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { awsCli, openShell, PATIENCE_MS, type Profile, type Shell } from "./aws-cli.ts";

let shell: Shell;
beforeAll(async () => void (shell = await openShell()));
afterAll(() => shell[Symbol.asyncDispose]());

const there = (name: string, run: () => Promise<void>): void => test.runIf(awsCli).concurrent(name, run, PATIENCE_MS);

/** git with the profile's credentials, as the AWS CLI's helper makes them for a host that is not AWS's own. */
const git = (profile: Profile, ...words: readonly string[]): Promise<string> =>
  shell.must("git", [
    "-c",
    "credential.helper=",
    "-c",
    `credential.helper=!${awsCli} --profile ${profile} codecommit credential-helper --ignore-host-check $@`,
    "-c",
    "credential.useHttpPath=true",
    "-c",
    "user.name=Dev",
    "-c",
    "user.email=dev@example.org",
    "-c",
    "init.defaultBranch=main",
    ...words,
  ]);

/** A repository of CodeCommit with one commit on main and, on `change`, two more; a clone of it is in the folder of its name. */
async function reviewed(name: string): Promise<{ readonly before: string; readonly after: string }> {
  const { repositoryMetadata } = await shell.aws<{ repositoryMetadata: { cloneUrlHttp: string; Arn: string } }>(
    "cicd",
    "codecommit",
    "create-repository",
    "--repository-name",
    name,
  );
  expect(repositoryMetadata.Arn).toBe(`arn:aws:codecommit:us-east-1:111122223333:${name}`);
  await git("developer", "init", "--quiet", name);
  const commit = async (text: string): Promise<string> => {
    writeFileSync(join(shell.folder, name, "main.wdl"), text);
    await git("developer", "-C", name, "add", ".");
    await git("developer", "-C", name, "commit", "--quiet", "-m", text);
    return (await git("developer", "-C", name, "rev-parse", "HEAD")).trim();
  };
  const before = await commit("one\n");
  await git("developer", "-C", name, "checkout", "--quiet", "-b", "change");
  await commit("two\n");
  const after = await commit("three\n");
  await git("developer", "-C", name, "remote", "add", "origin", `${shell.accounts.url}/v1/repos/${name}`);
  await git("developer", "-C", name, "push", "--quiet", "origin", "main", "change");
  return { before, after };
}

const openPullRequest = async (name: string): Promise<string> => {
  const { pullRequest } = await shell.aws<{ pullRequest: { pullRequestId: string } }>(
    "developer",
    "codecommit",
    "create-pull-request",
    "--title",
    "Three",
    "--targets",
    `repositoryName=${name},sourceReference=change,destinationReference=main`,
  );
  return pullRequest.pullRequestId;
};

there("a pull request is compared, commented and squashed, and the merge is fetched by git", async () => {
  const { before, after } = await reviewed("squashed");
  const id = await openPullRequest("squashed");
  const [differences, comment] = await Promise.all([
    shell.aws(
      "developer",
      "codecommit",
      "get-differences",
      "--repository-name",
      "squashed",
      "--before-commit-specifier",
      "main",
      "--after-commit-specifier",
      "change",
    ),
    shell.aws(
      "developer",
      "codecommit",
      "post-comment-for-pull-request",
      "--pull-request-id",
      id,
      "--repository-name",
      "squashed",
      "--before-commit-id",
      before,
      "--after-commit-id",
      after,
      "--content",
      "checked",
    ),
  ]);
  expect(differences).toMatchObject({ differences: [{ changeType: "M", afterBlob: { path: "main.wdl" } }] });
  expect(comment).toMatchObject({ comment: { content: "checked", authorArn: "arn:aws:iam::111122223333:user/developer" } });
  expect(
    await shell.aws("developer", "codecommit", "merge-pull-request-by-squash", "--pull-request-id", id, "--repository-name", "squashed"),
  ).toMatchObject({ pullRequest: { pullRequestStatus: "CLOSED" } });
  await git("developer", "-C", "squashed", "fetch", "--quiet", "origin");
  expect(await git("developer", "-C", "squashed", "show", "origin/main:main.wdl")).toBe("three\n");
  expect((await git("developer", "-C", "squashed", "rev-list", "--count", "origin/main")).trim()).toBe("2");
});

there("a pull request is merged by fast-forward, and another profile clones the result", async () => {
  const { after } = await reviewed("forwarded");
  const id = await openPullRequest("forwarded");
  await shell.aws(
    "developer",
    "codecommit",
    "merge-pull-request-by-fast-forward",
    "--pull-request-id",
    id,
    "--repository-name",
    "forwarded",
  );
  await git("cicd", "clone", "--quiet", `${shell.accounts.url}/v1/repos/forwarded`, "clone");
  expect((await git("cicd", "-C", "clone", "rev-parse", "HEAD")).trim()).toBe(after);
  await expect(git("approver", "clone", "--quiet", `${shell.accounts.url}/v1/repos/forwarded`, "refused")).rejects.toThrow(/403/);
});
