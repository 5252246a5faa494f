import { mkdir } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import type {
  Difference,
  GetBlobInput,
  GetBlobOutput,
  GetCommitInput,
  GetCommitOutput,
  GetDifferencesInput,
  GetDifferencesOutput,
  GetFileInput,
  GetFileOutput,
  GetFolderInput,
  GetFolderOutput,
} from "@aws-sdk/client-codecommit";
import { operation } from "../gateway/service.ts";
import { commitNotFound, fileNotFound, pathNotFound } from "./errors.ts";
import { type Git, readCommit } from "./git.ts";
import { type CodeCommit, on } from "./repository-access.ts";

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

/** Commits, files, differences, and the files of a commit for builds. */
export function contentOperations(codecommit: CodeCommit) {
  return { ...readingOperations(codecommit), ...fileOperations(codecommit) };
}

function readingOperations(codecommit: CodeCommit) {
  const { open } = codecommit;
  return {
    CheckOut: operation<CheckOutInput, { commitId: string; message: string; authorDate: string; committerDate: string }>({
      // What CodeCommit asks of CodePipeline's and CodeBuild's roles (codecommit/latest/userguide/auth-and-access-control-permissions-reference.html).
      // A connection was asked for before: it reads with a right of its own, not the role's.
      access: (input, call) =>
        (call.context["omx:Connection"]
          ? []
          : call.context["omx:Pipeline"]
            ? ["GetBranch", "GetCommit", "UploadArchive"]
            : ["GitPull"]
        ).flatMap((action) => on(action)(input, call)),
      async run(input, call) {
        const { git, repository } = open(call, input.repositoryName);
        const commitId = await codecommit.commit(git, input.commitSpecifier ?? repository.defaultBranch ?? "main");
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
    }),
    GetCommit: operation<GetCommitInput, GetCommitOutput>({
      access: on("GetCommit"),
      async run(input, call) {
        const commit = await readCommit(
          open(call, input.repositoryName).git,
          await codecommit.commit(open(call, input.repositoryName).git, input.commitId),
        );
        if (!commit) throw commitNotFound(input.commitId ?? "");
        const { commitId, treeId, parents, message, author, committer } = commit;
        return { commit: { commitId, treeId, parents: [...parents], message, author, committer, additionalData: "" } };
      },
    }),
    GetDifferences: operation<GetDifferencesInput, GetDifferencesOutput>({
      access: on("GetDifferences"),
      async run(input, call) {
        const { git } = open(call, input.repositoryName);
        const after = await codecommit.commit(git, input.afterCommitSpecifier);
        const before = input.beforeCommitSpecifier ? await codecommit.commit(git, input.beforeCommitSpecifier) : EMPTY_TREE;
        const paths = [input.beforePath, input.afterPath].filter((path) => path !== undefined);
        const text = (await git.run(["diff-tree", "-r", "-z", "--raw", "--no-abbrev", before, after, "--", ...paths])).toString("utf8");
        return { differences: parseDifferences(text) };
      },
    }),
  };
}

function fileOperations(codecommit: CodeCommit) {
  const { open } = codecommit;
  return {
    GetFile: operation<GetFileInput, GetFileOutput>({
      access: on("GetFile"),
      async run(input, call) {
        const { git, repository } = open(call, input.repositoryName);
        const commitId = await codecommit.commit(git, input.commitSpecifier ?? repository.defaultBranch ?? "main");
        const [entry] = await listTree(git, commitId, input.filePath ?? "");
        if (entry?.type !== "blob") throw fileNotFound(input.filePath ?? "");
        const fileContent = await git.run(["cat-file", "blob", entry.id]);
        return {
          commitId,
          blobId: entry.id,
          filePath: input.filePath ?? "",
          fileMode: modeOf(entry.mode),
          fileSize: fileContent.byteLength,
          fileContent,
        };
      },
    }),
    GetFolder: operation<GetFolderInput, GetFolderOutput>({
      access: on("GetFolder"),
      async run(input, call) {
        const { git, repository } = open(call, input.repositoryName);
        const commitId = await codecommit.commit(git, input.commitSpecifier ?? repository.defaultBranch ?? "main");
        const folderPath = (input.folderPath ?? "").replace(/^\/|\/$/g, "");
        const entries = await listTree(git, commitId, folderPath === "" ? "" : `${folderPath}/`);
        if (entries.length === 0 && folderPath !== "") throw pathNotFound(folderPath);
        const relative = (path: string) => path.slice(folderPath === "" ? 0 : folderPath.length + 1);
        return {
          commitId,
          folderPath,
          files: entries
            .filter(({ type }) => type === "blob")
            .map(({ id, path, mode }) => ({ blobId: id, absolutePath: path, relativePath: relative(path), fileMode: modeOf(mode) })),
          subFolders: entries
            .filter(({ type }) => type === "tree")
            .map(({ id, path }) => ({ treeId: id, absolutePath: path, relativePath: relative(path) })),
        };
      },
    }),
    GetBlob: operation<GetBlobInput, GetBlobOutput>({
      access: on("GetBlob"),
      async run(input, call) {
        const { git } = open(call, input.repositoryName);
        if (!/^[0-9a-f]{40}$/.test(input.blobId ?? "")) throw pathNotFound(input.blobId ?? "");
        return { content: await git.run(["cat-file", "blob", input.blobId ?? ""]) };
      },
    }),
  };
}

/** Git's own id of the tree without files. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

interface TreeEntry {
  readonly mode: string;
  readonly type: string;
  readonly id: string;
  readonly path: string;
}

async function listTree(git: Git, commitId: string, path: string): Promise<readonly TreeEntry[]> {
  const text = (await git.ask(["ls-tree", "-z", commitId, "--", ...(path === "" ? [] : [path])])) ?? "";
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [meta = "", name = ""] = line.split("\t");
      const [mode = "", type = "", id = ""] = meta.split(" ");
      return { mode, type, id, path: name };
    });
}

const modeOf = (mode: string): "EXECUTABLE" | "NORMAL" | "SYMLINK" =>
  mode === "100755" ? "EXECUTABLE" : mode === "120000" ? "SYMLINK" : "NORMAL";

/** `:100644 100644 <id> <id> M\0path\0` for each change. */
function parseDifferences(text: string): Difference[] {
  const parts = text.split("\0").filter((part) => part !== "");
  const differences: Difference[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [modeBefore = "", modeAfter = "", idBefore = "", idAfter = "", status = ""] = (parts[index] ?? "").slice(1).split(" ");
    const path = parts[index + 1] ?? "";
    differences.push({
      changeType: status.startsWith("A") ? "A" : status.startsWith("D") ? "D" : "M",
      ...(!status.startsWith("A") && { beforeBlob: { blobId: idBefore, path, mode: modeBefore } }),
      ...(!status.startsWith("D") && { afterBlob: { blobId: idAfter, path, mode: modeAfter } }),
    });
  }
  return differences;
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
