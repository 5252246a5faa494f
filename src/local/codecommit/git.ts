import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Core } from "../gateway/service.ts";

/** Runs git on one bare repository. */
export interface Git {
  readonly folder: string;
  /** Standard output. @throws Error with git's own message */
  run(args: readonly string[], input?: string | Buffer): Promise<Buffer>;
  /** Standard output as trimmed text, or undefined when git fails. */
  ask(args: readonly string[]): Promise<string | undefined>;
}

export interface Commit {
  readonly commitId: string;
  readonly treeId: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: Person;
  readonly committer: Person;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  /** Git's raw form: `1763700000 +0000`. */
  readonly date: string;
}

const LIMIT_BYTES = 256 * 1024 * 1024;

/** Git on the bare repository of a folder. The environment holds nothing of the machine's own configuration. */
export function gitAt(core: Core, folder: string): Git {
  const env = {
    PATH: core.settings.environment["PATH"] ?? "/usr/bin:/bin",
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    LANG: "C.UTF-8",
    GIT_AUTHOR_NAME: "CodeCommit",
    GIT_AUTHOR_EMAIL: "codecommit@localhost",
    GIT_COMMITTER_NAME: "CodeCommit",
    GIT_COMMITTER_EMAIL: "codecommit@localhost",
  };
  const run: Git["run"] = (args, input) =>
    new Promise((resolve, reject) => {
      const child = execFile(
        "git",
        ["--git-dir", folder, ...args],
        { env, encoding: "buffer", maxBuffer: LIMIT_BYTES },
        (error, stdout, stderr) =>
          error ? reject(new Error(`git ${args[0]}: ${stderr.toString("utf8").trim() || error.message}`)) : resolve(stdout),
      );
      child.stdin?.on("error", () => undefined); // git may answer without reading: its exit code tells
      child.stdin?.end(input ?? "");
    });
  return {
    folder,
    run,
    ask: (args) =>
      run(args).then(
        (stdout) => stdout.toString("utf8").trim(),
        () => undefined,
      ),
  };
}

/** Where an account's repository lies. */
export const repositoryFolder = (
  core: Core,
  { account, region }: { readonly account: string; readonly region: string },
  id: string,
): string => join(core.dataDir, "git", account, region, `${id}.git`);

/** Makes an empty bare repository that takes pushes over HTTP. */
export async function initRepository(git: Git): Promise<void> {
  mkdirSync(git.folder, { recursive: true });
  await git.run(["init", "--bare", "--quiet", "--initial-branch=main", git.folder]);
  await git.run(["config", "http.receivepack", "true"]);
  await git.run(["config", "receive.advertisePushOptions", "false"]);
}

/** Every reference and its commit. */
export async function readRefs(git: Git): Promise<ReadonlyMap<string, string>> {
  const text = (await git.ask(["for-each-ref", "--format=%(refname) %(objectname)"])) ?? "";
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line): [string, string] => {
        const [name = "", id = ""] = line.split(" ");
        return [name, id];
      }),
  );
}

/** Full ids of what a branch, tag or (short) commit id names; a branch wins over a tag. */
export async function resolveCommit(git: Git, specifier: string): Promise<string | undefined> {
  for (const name of [`refs/heads/${specifier}`, `refs/tags/${specifier}`, specifier]) {
    if (name.startsWith("-")) return undefined;
    const id = await git.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
    if (id) return id;
  }
  return undefined;
}

const FORMAT = ["%H", "%T", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%B"].join("%x00");

/** A commit by its full id. */
export async function readCommit(git: Git, id: string): Promise<Commit | undefined> {
  const text = await git.ask(["show", "--no-patch", "--date=raw", `--format=${FORMAT}`, id]);
  if (text === undefined) return undefined;
  const [commitId = "", treeId = "", parents = "", an = "", ae = "", ad = "", cn = "", ce = "", cd = "", ...message] = text.split("\0");
  return {
    commitId,
    treeId,
    parents: parents.split(" ").filter((parent) => parent !== ""),
    message: message.join("\0").trimEnd(),
    author: { name: an, email: ae, date: ad },
    committer: { name: cn, email: ce, date: cd },
  };
}
