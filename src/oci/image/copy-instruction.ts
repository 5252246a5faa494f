import { posix } from "node:path";
import { text } from "node:stream/consumers";
import { Readable } from "node:stream";
import type { CopySource } from "./build-context.ts";
import { CopyRefused } from "./copy-refused.ts";
import type { FileTree, TreeNode } from "./file-tree.ts";
import type { Stage } from "./stage.ts";
import type { LayerEntry } from "./tar-writer.ts";
import { unpackOnto } from "./unpack-onto.ts";

/** What a COPY or ADD asks for, its variables replaced. */
export interface CopyRequest {
  readonly sources: readonly CopySource[];
  /** As written: a slash at its end means a folder. */
  readonly destination: string;
  /** `user[:group]`, by name or number. */
  readonly chown?: string | undefined;
  /** Octal digits; also for folders that the COPY makes, as BuildKit does. */
  readonly chmod?: string | undefined;
}

/**
 * The entries that a COPY adds to the stage's files, in the tree from then on. The destination keeps its mode and owner
 * where it is there, and may be a link; folders below it take those of what is copied, as when Docker copies into the
 * image's file system.
 */
export async function copyInto(stage: Stage, request: CopyRequest): Promise<readonly LayerEntry[]> {
  const tree = await stage.tree();
  const owner = request.chown === undefined ? undefined : await ownerOf(stage, tree, request.chown);
  const mode = request.chmod === undefined ? undefined : modeOf(request.chmod);
  const entries = new Map<string, LayerEntry>();
  const put = (entry: LayerEntry, folderMode = 0o755): void => {
    for (const folder of missingFolders(tree, entry.path)) putAs({ kind: "directory", path: folder, mode: folderMode });
    putAs(entry);
  };
  const putAs = (entry: LayerEntry): void => {
    refuseWhiteout(entry.path);
    const isInPlaceOfFolder = entry.kind !== "directory" && tree.at(entry.path)?.kind === "directory";
    if (isInPlaceOfFolder) for (const path of entries.keys()) if (path.startsWith(`${entry.path}/`)) entries.delete(path);
    const owned = { ...entry, ...owner };
    if (isSameFolder(tree.at(entry.path)?.entry, owned)) return;
    tree.put(owned);
    entries.set(entry.path, owned);
  };
  const putCopied = (entry: LayerEntry): void =>
    put({ ...entry, mode: mode === undefined || entry.kind === "symlink" ? entry.mode : mode }, mode === undefined ? mode : mode & 0o777);
  const folder = stage.absolute(request.destination);
  const isFolder = isFolderName(request.destination) || tree.at(tree.resolve(folder))?.kind === "directory";
  if (request.sources.length > 1 && !isFolder)
    throw new CopyRefused(`with more than one source the destination has to be a folder: write ${request.destination}/`);
  for (const source of request.sources) {
    if (source.archive) await unpackOnto(stage, { archive: source.archive, name: source.name, destination: folder }, put);
    else copyOne(tree, { source, destination: folder, isFolder }, putCopied);
  }
  return [...entries.values()];
}

/** The entries that make a folder with all above it; none where it is there. */
export async function folderInto(stage: Stage, folder: string): Promise<readonly LayerEntry[]> {
  if (folder === "/") return [];
  const tree = await stage.tree();
  const path = tree.resolve(folder);
  const node = tree.at(path);
  if (node !== undefined && node.kind !== "directory") throw new CopyRefused(`/${path} is a file; it cannot be the working directory`);
  if (node) return [];
  const owner = stage.config.User ? await ownerOf(stage, tree, stage.config.User) : {};
  const entries = [...missingFolders(tree, path), path].map((one): LayerEntry => ({ kind: "directory", path: one, mode: 0o755, ...owner }));
  for (const entry of entries) tree.put(entry);
  return entries;
}

const isFolderName = (destination: string): boolean => /(?:^|\/)\.{0,2}$/.test(destination);

interface OneCopy {
  readonly source: CopySource;
  readonly destination: string;
  readonly isFolder: boolean;
}

function copyOne(tree: FileTree, { source, destination, isFolder }: OneCopy, put: (entry: LayerEntry) => void): void {
  if (!source.isFolder) {
    const [file] = source.entries;
    const path = tree.resolve(isFolder ? posix.join(destination, source.name) : destination);
    if (file) refuseOtherKind(tree.at(path), { ...file, path });
    if (file) put({ ...file, path });
    return;
  }
  const root = tree.resolve(destination);
  if (root !== "" && tree.at(root) && tree.at(root)?.kind !== "directory")
    throw new CopyRefused(`/${root} is a file; a folder cannot be copied over it`);
  if (root !== "" && !tree.at(root)) put({ kind: "directory", path: root, mode: 0o755 });
  for (const entry of source.entries) {
    const path = tree.resolve(`${root}/${entry.path}`, { keepLast: true });
    refuseOtherKind(tree.at(path), { ...entry, path });
    put({ ...entry, path });
  }
}

/** The folders above a path that do not exist yet, the highest first. */
function missingFolders(tree: FileTree, path: string): readonly string[] {
  const missing: string[] = [];
  let parent = posix.dirname(path);
  for (; parent !== "." && tree.at(parent) === undefined; parent = posix.dirname(parent)) missing.unshift(parent);
  if (parent !== "." && tree.at(parent)?.kind !== "directory")
    throw new CopyRefused(`/${parent} is not a folder; nothing can be put below it`);
  return missing;
}

/** A folder stays a folder, and nothing else becomes one: Docker's builders break off here, or break the image. */
function refuseOtherKind(there: TreeNode | undefined, { kind, path }: LayerEntry): void {
  if (!there || (there.kind === "directory") === (kind === "directory")) return;
  if (there.kind === "directory") throw new CopyRefused(`/${path} is a folder; a file cannot take its place`);
  const what = there.kind === "symlink" ? `a link to ${there.linkTarget}` : "a file";
  throw new CopyRefused(`/${path} is ${what}; a folder cannot be copied over it`);
}

/** A layer needs no folder again that is as it was. */
const isSameFolder = (before: LayerEntry | undefined, { kind, mode, uid = 0, gid = 0 }: LayerEntry): boolean =>
  kind === "directory" && before?.kind === "directory" && before.mode === mode && (before.uid ?? 0) === uid && (before.gid ?? 0) === gid;

/** In a layer such a name takes a file of the layers below away (OCI image spec, "Whiteouts"). */
function refuseWhiteout(path: string): void {
  if (posix.basename(path).startsWith(".wh."))
    throw new CopyRefused(`/${path}: a layer can't hold names that begin with .wh.; they stand for what it takes away`);
}

function modeOf(chmod: string): number {
  const mode = Number.parseInt(chmod, 8);
  if (!/^[0-7]+$/.test(chmod) || mode > 0o7777)
    throw new CopyRefused(`--chmod=${chmod}: write the mode in octal digits, as in --chmod=755`);
  return mode;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * A user by number without a group gets the group of the same number (Dockerfile reference, COPY --chown), one by name
 * the group that `/etc/passwd` says, as BuildKit does.
 */
async function ownerOf(stage: Stage, tree: FileTree, chown: string): Promise<Owner> {
  const [user = "", group] = chown.split(":");
  const account = await accountOf(stage, tree, { name: user, file: "etc/passwd" });
  return {
    uid: account.id,
    gid: group === undefined ? account.group : (await accountOf(stage, tree, { name: group, file: "etc/group" })).id,
  };
}

interface Account {
  readonly id: number;
  /** Of a user. */
  readonly group: number;
}

async function accountOf(stage: Stage, tree: FileTree, { name, file }: { readonly name: string; readonly file: string }): Promise<Account> {
  if (/^\d+$/.test(name)) return { id: Number(name), group: Number(name) };
  const node = tree.at(tree.resolve(file));
  const lines = node?.kind === "file" ? (await contentOf(stage, node.entry)).split("\n") : [];
  const [, , id, group] = lines.map((one) => one.split(":")).find(([first]) => first === name) ?? [];
  if (id !== undefined) return { id: Number(id), group: Number(group ?? id) };
  if (name === "root") return { id: 0, group: 0 };
  throw new CopyRefused(`the image has no "${name}" in /${file}; write a number`);
}

async function contentOf(stage: Stage, entry: LayerEntry): Promise<string> {
  await stage.fetch([entry]);
  return entry.kind === "file" ? text(Readable.from(entry.open())) : "";
}
