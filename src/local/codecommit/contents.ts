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
import { checkOut } from "./check-out.ts";
import { commitNotFound, fileNotFound, pathNotFound } from "./errors.ts";
import { type Git, readCommit } from "./git.ts";
import { type CodeCommit, commitOf, on } from "./repository-access.ts";

/** Commits, files, differences, and the files of a commit for builds. */
export function contentOperations(codecommit: CodeCommit) {
  return {
    CheckOut: checkOut(codecommit),
    GetCommit: getCommit(codecommit),
    GetDifferences: getDifferences(codecommit),
    GetFile: getFile(codecommit),
    GetFolder: getFolder(codecommit),
    GetBlob: getBlob(codecommit),
  };
}

function getCommit(codecommit: CodeCommit) {
  return operation<GetCommitInput, GetCommitOutput>({
    access: on("GetCommit"),
    async run(input, call) {
      const { git } = codecommit.open(call, input.repositoryName);
      const commit = await readCommit(git, await codecommit.commit(git, input.commitId));
      if (!commit) throw commitNotFound(input.commitId ?? "");
      const { commitId, treeId, parents, message, author, committer } = commit;
      return { commit: { commitId, treeId, parents: [...parents], message, author, committer, additionalData: "" } };
    },
  });
}

function getDifferences(codecommit: CodeCommit) {
  return operation<GetDifferencesInput, GetDifferencesOutput>({
    access: on("GetDifferences"),
    async run(input, call) {
      const { git } = codecommit.open(call, input.repositoryName);
      const after = await codecommit.commit(git, input.afterCommitSpecifier);
      const before = input.beforeCommitSpecifier ? await codecommit.commit(git, input.beforeCommitSpecifier) : EMPTY_TREE;
      const paths = [input.beforePath, input.afterPath].filter((path) => path !== undefined);
      const changes = await git.run(["diff-tree", "-r", "-z", "--raw", "--no-abbrev", before, after, "--", ...paths]);
      return { differences: parseDifferences(changes.toString("utf8")) };
    },
  });
}

function getFile(codecommit: CodeCommit) {
  return operation<GetFileInput, GetFileOutput>({
    access: on("GetFile"),
    async run(input, call) {
      const { git, commitId } = await commitOf(codecommit, call, input);
      const filePath = input.filePath ?? "";
      const [entry] = await listTree(git, commitId, filePath);
      if (entry?.type !== "blob") throw fileNotFound(filePath);
      const fileContent = await git.run(["cat-file", "blob", entry.id]);
      return { commitId, blobId: entry.id, filePath, fileMode: modeOf(entry.mode), fileSize: fileContent.byteLength, fileContent };
    },
  });
}

function getFolder(codecommit: CodeCommit) {
  return operation<GetFolderInput, GetFolderOutput>({
    access: on("GetFolder"),
    async run(input, call) {
      const { git, commitId } = await commitOf(codecommit, call, input);
      const folderPath = (input.folderPath ?? "").replace(/^\/|\/$/g, "");
      const prefix = folderPath === "" ? "" : `${folderPath}/`;
      const entries = await listTree(git, commitId, prefix);
      if (entries.length === 0 && folderPath !== "") throw pathNotFound(folderPath);
      const pathsOf = ({ path }: TreeEntry) => ({ absolutePath: path, relativePath: path.slice(prefix.length) });
      const [files, folders] = [entries.filter(({ type }) => type === "blob"), entries.filter(({ type }) => type === "tree")];
      return {
        commitId,
        folderPath,
        files: files.map((file) => ({ blobId: file.id, ...pathsOf(file), fileMode: modeOf(file.mode) })),
        subFolders: folders.map((folder) => ({ treeId: folder.id, ...pathsOf(folder) })),
      };
    },
  });
}

function getBlob(codecommit: CodeCommit) {
  return operation<GetBlobInput, GetBlobOutput>({
    access: on("GetBlob"),
    async run({ repositoryName, blobId = "" }, call) {
      const { git } = codecommit.open(call, repositoryName);
      if (!/^[0-9a-f]{40}$/.test(blobId)) throw pathNotFound(blobId);
      return { content: await git.run(["cat-file", "blob", blobId]) };
    },
  });
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
  const lines = text.split("\0").filter((line) => line !== "");
  return lines.map((line) => {
    const [meta = "", name = ""] = line.split("\t");
    const [mode = "", type = "", id = ""] = meta.split(" ");
    return { mode, type, id, path: name };
  });
}

function modeOf(mode: string): "EXECUTABLE" | "NORMAL" | "SYMLINK" {
  if (mode === "100755") return "EXECUTABLE";
  if (mode === "120000") return "SYMLINK";
  return "NORMAL";
}

/** `:100644 100644 <id> <id> M\0path\0` for each change. */
function parseDifferences(text: string): Difference[] {
  const parts = text.split("\0").filter((part) => part !== "");
  const differences: Difference[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [modeBefore = "", modeAfter = "", idBefore = "", idAfter = "", status = ""] = (parts[index] ?? "").slice(1).split(" ");
    const path = parts[index + 1] ?? "";
    const changeType = changeTypeOf(status);
    differences.push({
      changeType,
      ...(changeType !== "A" && { beforeBlob: { blobId: idBefore, path, mode: modeBefore } }),
      ...(changeType !== "D" && { afterBlob: { blobId: idAfter, path, mode: modeAfter } }),
    });
  }
  return differences;
}

function changeTypeOf(status: string): "A" | "D" | "M" {
  if (status.startsWith("A")) return "A";
  if (status.startsWith("D")) return "D";
  return "M";
}
