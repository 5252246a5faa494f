import { createHash } from "node:crypto";
import type { CreateCommitInput, CreateCommitOutput, FileMetadata, FileModeTypeEnum, PutFileEntry } from "@aws-sdk/client-codecommit";
import { type Principal, principalArn } from "../authorization/principal.ts";
import { notImplemented } from "../gateway/aws-error.ts";
import { operation } from "../gateway/service.ts";
import { branchNotFound, invalidBranchName, invalidPath, noChange, parentCommitOutdated, parentCommitRequired } from "./errors.ts";
import { type Git, readCommit, readRefs } from "./git.ts";
import { type CodeCommit, onBranch } from "./repository-access.ts";

/** CreateCommit: files written to a branch without a clone. */
export function commitOperations(codecommit: CodeCommit) {
  return {
    CreateCommit: operation<CreateCommitInput, CreateCommitOutput>({
      access: onBranch("CreateCommit", (input: CreateCommitInput) => input.branchName),
      async run(input, call) {
        const { repository, git } = codecommit.open(call, input.repositoryName);
        if (input.setFileModes?.length || input.keepEmptyFolders || input.putFiles?.some(({ sourceFile }) => sourceFile))
          throw notImplemented("codecommit", "CreateCommit with setFileModes, keepEmptyFolders or sourceFile");
        const parent = await parentOf(git, input);
        const changes = changesOf(await filesOf(git, parent), input);
        const seconds = Math.floor(codecommit.core.clock.now().getTime() / 1000);
        const commitId = await writeCommit(git, {
          input,
          parent,
          person: `${plain(input.authorName ?? nameOf(call.caller))} <${plain(input.email ?? "")}> ${seconds} +0000`,
        });
        await codecommit.refsMoved(repository, principalArn(call.caller));
        return { commitId, treeId: (await readCommit(git, commitId))?.treeId, ...changes };
      },
    }),
  };
}

/** What git allows in a person's name and address. */
const plain = (text: string): string => text.replaceAll(/[<>\n\0]/g, "").trim();

const nameOf = (caller: Principal): string => principalArn(caller).split(/[:/]/).at(-1) ?? "";

/** The commit that the new one follows: the branch's tip, which the caller must know; none in an empty repository. */
async function parentOf(git: Git, { branchName = "", parentCommitId }: CreateCommitInput): Promise<string | undefined> {
  if (!(await git.ask(["check-ref-format", "--branch", branchName]))) throw invalidBranchName(branchName);
  const refs = await readRefs(git);
  const tip = refs.get(`refs/heads/${branchName}`);
  if (!tip && refs.size > 0) throw branchNotFound(branchName);
  if (tip && !parentCommitId) throw parentCommitRequired();
  if (parentCommitId && parentCommitId !== tip) throw parentCommitOutdated();
  return tip;
}

interface StoredFile {
  readonly mode: string;
  readonly id: string;
}

async function filesOf(git: Git, commitId: string | undefined): Promise<ReadonlyMap<string, StoredFile>> {
  if (!commitId) return new Map();
  const lines = (await git.run(["ls-tree", "-r", "-z", commitId]))
    .toString("utf8")
    .split("\0")
    .filter((line) => line !== "");
  return new Map(
    lines.map((line): [string, StoredFile] => {
      const [meta = "", path = ""] = line.split("\t");
      const [mode = "", , id = ""] = meta.split(" ");
      return [path, { mode, id }];
    }),
  );
}

/** What becomes of each file. @throws AwsError NoChangeException, InvalidPathException */
function changesOf(
  before: ReadonlyMap<string, StoredFile>,
  { putFiles = [], deleteFiles = [] }: CreateCommitInput,
): Required<Pick<CreateCommitOutput, "filesAdded" | "filesUpdated" | "filesDeleted">> {
  const put = putFiles.map((file) => ({ path: checkedPath(file.filePath), mode: modeOf(file), metadata: metadataOf(file) }));
  const filesDeleted = deleteFiles.flatMap(({ filePath }): FileMetadata[] =>
    before.has(filePath ?? "") ? [{ absolutePath: filePath }] : [],
  );
  const filesAdded = put.filter(({ path }) => !before.has(path)).map(({ metadata }) => metadata);
  const filesUpdated = put
    .filter(({ path, mode, metadata }) => before.has(path) && (before.get(path)?.id !== metadata.blobId || before.get(path)?.mode !== mode))
    .map(({ metadata }) => metadata);
  if (filesAdded.length + filesUpdated.length + filesDeleted.length === 0) throw noChange();
  return { filesAdded, filesUpdated, filesDeleted };
}

function checkedPath(path: string | undefined): string {
  const isSound =
    path &&
    !path.startsWith("/") &&
    !path.endsWith("/") &&
    !/[\n"]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part !== ".git");
  if (!isSound) throw invalidPath(path ?? "");
  return path;
}

const MODES: Readonly<Record<FileModeTypeEnum, string>> = { NORMAL: "100644", EXECUTABLE: "100755", SYMLINK: "120000" };
const modeOf = ({ fileMode = "NORMAL" }: PutFileEntry): string => MODES[fileMode];

function metadataOf({ filePath, fileMode = "NORMAL", fileContent = new Uint8Array() }: PutFileEntry): FileMetadata {
  const blobId = createHash("sha1").update(`blob ${fileContent.length}\0`).update(fileContent).digest("hex");
  return { absolutePath: filePath, blobId, fileMode };
}

interface NewCommit {
  readonly input: CreateCommitInput;
  readonly parent: string | undefined;
  /** As git writes it: `Name <mail> 1763700000 +0000`. */
  readonly person: string;
}

/** One pass of git's own importer; it refuses to move a branch that somebody else has moved meanwhile. Returns the commit's id. */
async function writeCommit(git: Git, { input, parent, person }: NewCommit): Promise<string> {
  const message = Buffer.from(input.commitMessage ?? "");
  const data = (bytes: Uint8Array): readonly Uint8Array[] => [Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from("\n")];
  const stream = [
    Buffer.from(`commit refs/heads/${input.branchName}\nmark :1\nauthor ${person}\ncommitter ${person}\n`),
    ...data(message),
    Buffer.from(parent ? `from ${parent}\n` : ""),
    ...(input.deleteFiles ?? []).map(({ filePath }) => Buffer.from(`D ${checkedPath(filePath)}\n`)),
    ...(input.putFiles ?? []).flatMap((file) => [
      Buffer.from(`M ${modeOf(file)} inline ${file.filePath}\n`),
      ...data(file.fileContent ?? new Uint8Array()),
    ]),
    Buffer.from("get-mark :1\n"),
  ];
  return (await git.run(["fast-import", "--quiet"], Buffer.concat(stream))).toString("utf8").trim();
}
