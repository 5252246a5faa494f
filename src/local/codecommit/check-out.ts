import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { type Call, operation } from "../gateway/service.ts";
import { type Git, readCommit } from "./git.ts";
import { type CodeCommit, commitOf, on } from "./repository-access.ts";

/** What a source action or a build asks for; internal, nothing on the wire carries it. */
export interface CheckOutInput {
  readonly repositoryName: string;
  /** Branch, tag or commit; the default branch when absent. */
  readonly commitSpecifier?: string;
  /** An empty folder. */
  readonly directory: string;
  /** A clone with its history instead of the files alone. */
  readonly clone?: boolean;
  readonly branchName?: string;
}

/** What was checked out. */
export interface CheckOutOutput {
  readonly commitId: string;
  readonly message: string;
  /** ISO times. */
  readonly authorDate: string;
  readonly committerDate: string;
}

/** The files of a commit, or a clone, in a folder of the machine. */
export function checkOut(codecommit: CodeCommit) {
  return operation<CheckOutInput, CheckOutOutput>({
    access: (input, call) => rightsOf(call).flatMap((action) => on(action)(input, call)),
    async run(input, call) {
      const { git, commitId } = await commitOf(codecommit, call, input);
      if (input.clone) await cloneInto(git, { ...input, commitId });
      else await extractTo(await git.run(["archive", "--format=tar", commitId]), input.directory);
      const commit = await readCommit(git, commitId);
      return {
        commitId,
        message: commit?.message ?? "",
        authorDate: isoDate(commit?.author.date),
        committerDate: isoDate(commit?.committer.date),
      };
    },
  });
}

/** What CodeCommit asks of CodePipeline's and CodeBuild's roles (codecommit/latest/userguide/auth-and-access-control-permissions-reference.html). */
function rightsOf({ context }: Call): readonly string[] {
  // A connection was asked for before: it reads with a right of its own, not the role's.
  if (context["omx:Connection"]) return [];
  if (context["omx:Pipeline"]) return ["GetBranch", "GetCommit", "UploadArchive"];
  return ["GitPull"];
}

async function extractTo(tar: Buffer, directory: string): Promise<void> {
  const archive = extract();
  const done = pipeline(Readable.from([tar]), archive);
  for await (const entry of archive) {
    const target = resolve(directory, entry.header.name);
    if (!target.startsWith(resolve(directory) + sep) || entry.header.type !== "file") {
      entry.resume();
      continue;
    }
    await mkdir(dirname(target), { recursive: true });
    await pipeline(entry, createWriteStream(target, { mode: (entry.header.mode ?? 0) & 0o111 ? 0o755 : 0o644 }));
  }
  await done;
}

async function cloneInto(
  git: Git,
  { directory, commitId, branchName = "main" }: CheckOutInput & { readonly commitId: string },
): Promise<void> {
  await git.run(["clone", "--quiet", "--no-hardlinks", git.folder, directory]);
  await git.run(["--git-dir", join(directory, ".git"), "--work-tree", directory, "checkout", "--quiet", "-B", branchName, commitId]);
}

const isoDate = (raw: string | undefined): string => {
  const seconds = Number(raw?.split(" ")[0]);
  return Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString() : "";
};
