import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreatePullRequestCommand,
  GetCommentsForPullRequestCommand,
  MergePullRequestByFastForwardCommand,
} from "@aws-sdk/client-codecommit";
import type { AwsClients } from "../../aws/clients.ts";
import { gitCredential } from "../../local/codecommit/git-password.ts";
import { type Cli, Problem } from "../cli.ts";

export const WORKFLOW = "phage-variants";

/** The developer's clone of the workflow's repository. */
export interface Clone {
  readonly folder: string;
  git(...args: readonly string[]): Promise<string>;
}

export interface Developer {
  readonly cli: Cli;
  readonly clients: AwsClients;
  readonly dataDir: string;
}

/** Makes or opens the clone, with the example in it. */
export async function openClone(developer: Developer): Promise<Clone> {
  const { cli, clients, dataDir } = developer;
  const folder = join(dataDir, "demo", WORKFLOW);
  const isNew = !existsSync(join(folder, ".git"));
  mkdirSync(folder, { recursive: true });
  const clone: Clone = { folder, git: (...args) => runGit(cli, folder, args) };
  if (isNew) await clone.git("init", "--quiet", "--initial-branch=main");
  const { credentials, region, endpoint } = clients.target;
  const { host } = new URL(endpoint ?? "");
  const { username, password } = gitCredential({
    accessKeyId: credentials?.accessKeyId ?? "",
    secretAccessKey: credentials?.secretAccessKey ?? "",
    region,
    host,
    path: `/v1/repos/${WORKFLOW}`,
    now: cli.clock.now(),
  });
  const remote = `http://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${host}/v1/repos/${WORKFLOW}`;
  return {
    folder,
    git: (...args) =>
      runGit(
        cli,
        folder,
        args.map((arg) => (arg === "origin" ? remote : arg)),
      ),
  };
}

/** The first push: the example, straight to main; later ones bring the example up to date. @returns the commit */
export async function pushMain(developer: Developer): Promise<string> {
  const clone = await openClone(developer);
  await bringUpToDate(clone);
  cpSync(join(developer.cli.settings.root, "examples", WORKFLOW), clone.folder, { recursive: true });
  return commitAndPush(clone, developer, { message: "Find variants of phage samples", branch: "main" });
}

/**
 * A small change by a pull request: pushed to a branch, checked and commented by omx, merged to main.
 * @returns the commit that the merge brought to main, and what the check said
 */
export async function mergeChange(
  developer: Developer,
): Promise<{ readonly commit: string; readonly comment: string; readonly pullRequest: string }> {
  const { clients, cli } = developer;
  const clone = await openClone(developer);
  await bringUpToDate(clone);
  const branch = `note-${cli.clock.now().getTime()}`;
  await clone.git("checkout", "--quiet", "-b", branch);
  const commit = await commitAndPush(clone, developer, {
    message: "Note what changed",
    branch,
    note: `Changed ${cli.clock.now().toISOString()}`,
  });
  const { pullRequest } = await clients.codecommit.send(
    new CreatePullRequestCommand({
      title: "Note what changed",
      targets: [{ repositoryName: WORKFLOW, sourceReference: branch, destinationReference: "main" }],
    }),
  );
  const pullRequestId = pullRequest?.pullRequestId ?? "";
  const comment = await awaitComment(developer, pullRequestId);
  await clients.codecommit.send(
    new MergePullRequestByFastForwardCommand({ pullRequestId, repositoryName: WORKFLOW, sourceCommitId: commit }),
  );
  await clone.git("checkout", "--quiet", "main");
  return { commit, comment, pullRequest: pullRequestId };
}

async function awaitComment({ clients, cli }: Developer, pullRequestId: string): Promise<string> {
  for (let waited = 0; waited < 120_000; waited += 250) {
    const { commentsForPullRequestData: data = [] } = await clients.codecommit.send(
      new GetCommentsForPullRequestCommand({ pullRequestId }),
    );
    const content = data[0]?.comments?.[0]?.content;
    if (content) return content;
    await cli.clock.sleep(250);
  }
  throw new Problem(
    `nobody commented pull request ${pullRequestId} within two minutes`,
    `look at the build log: aws logs tail /aws/codebuild/omx-${WORKFLOW}-checks --profile cicd`,
  );
}

/** Somebody may have merged since: the clone starts from what main is. */
async function bringUpToDate(clone: Clone): Promise<void> {
  const fetched = await clone.git("fetch", "--quiet", "origin", "main").then(
    () => true,
    () => false,
  );
  if (fetched) await clone.git("checkout", "--quiet", "-B", "main", "FETCH_HEAD");
}

async function commitAndPush(
  clone: Clone,
  { cli }: Developer,
  { message, branch, note }: { readonly message: string; readonly branch: string; readonly note?: string },
): Promise<string> {
  if (note) writeFileSync(join(clone.folder, "CHANGELOG.md"), `# Changes\n\n- ${note}\n`);
  await clone.git("add", "--all");
  const changed = (await clone.git("status", "--porcelain")).trim() !== "";
  if (!changed && branch === "main")
    writeFileSync(join(clone.folder, "CHANGELOG.md"), `# Changes\n\n- Released again ${cli.clock.now().toISOString()}\n`);
  await clone.git("add", "--all");
  await clone.git("commit", "--quiet", "-m", message);
  await clone.git("push", "--quiet", "origin", `HEAD:refs/heads/${branch}`);
  return (await clone.git("rev-parse", "HEAD")).trim();
}

function runGit(cli: Cli, cwd: string, args: readonly string[]): Promise<string> {
  const identity = ["-c", "user.name=Demo Developer", "-c", "user.email=developer@example.org"];
  const { PATH: _path, ...inherited } = cli.settings.inherited;
  return new Promise((resolve, reject) =>
    execFile(
      "git",
      [...identity, ...args],
      { cwd, env: { ...inherited, PATH: cli.settings.path, GIT_TERMINAL_PROMPT: "0" } },
      (error, stdout, stderr) =>
        error
          ? reject(new Problem(`git ${args.find((arg) => !arg.startsWith("-"))}: ${stderr.trim().replaceAll(/\/\/[^@]*@/g, "//")}`))
          : resolve(stdout),
    ),
  );
}
