import { posix } from "node:path";
import type { ArchiveEntry } from "./archive.ts";
import { CopyRefused } from "./copy-refused.ts";
import type { FileTree, TreeNode } from "./file-tree.ts";
import type { Stage } from "./stage.ts";
import type { LayerEntry } from "./tar-writer.ts";

export interface UnpackOnto {
  readonly archive: readonly ArchiveEntry[];
  /** Of the archive, for people. */
  readonly name: string;
  readonly destination: string;
}

/**
 * Puts what an archive holds into the stage's files as Docker's ADD does: the folder that it is unpacked to is the root
 * for links on the way, folders that are there take the archive's modes and owners, and what is of another kind is
 * replaced.
 * @see https://github.com/moby/go-archive, Unpack and createTarFile
 * @throws CopyRefused where a file stands in the way, or a hard link leads to nothing
 */
export async function unpackOnto(
  stage: Stage,
  { archive, name, destination }: UnpackOnto,
  put: (entry: LayerEntry) => void,
): Promise<void> {
  const tree = await stage.tree();
  const root = tree.resolve(destination);
  const there = tree.at(root);
  if (there && there.kind !== "directory") throw new CopyRefused(`/${root} is a file; ${name} cannot be unpacked there`);
  if (!there) put({ kind: "directory", path: root, mode: 0o755 });
  const linkedTo: LayerEntry[] = [];
  for (const entry of archive) {
    const path = placeOf(tree, entry.path, { root, archive: name });
    if (entry.kind !== "hardLink") {
      put({ ...entry, path });
      continue;
    }
    const target = placeOf(tree, entry.linkTarget, { root, archive: name });
    const meant = linked(tree.at(target), { ...entry, archive: name });
    linkedTo.push(meant);
    const { uid, gid } = entry;
    for (const one of [target, path]) put({ ...meant, mode: meant.kind === "symlink" ? meant.mode : entry.mode, uid, gid, path: one });
  }
  await stage.fetch(linkedTo);
}

/** Where a member of the archive goes: links on the way lead, and have to lead to a folder. */
function placeOf(tree: FileTree, path: string, { root, archive }: { readonly root: string; readonly archive: string }): string {
  for (let above = posix.dirname(path); above !== "."; above = posix.dirname(above)) {
    const isLink = tree.at(tree.resolve(above, { keepLast: true, root }))?.kind === "symlink";
    if (isLink && tree.at(tree.resolve(above, { root }))?.kind !== "directory")
      throw new CopyRefused(`${archive}: ${path} lies below ${above}, a link that leads to no folder where the archive is unpacked`);
  }
  return tree.resolve(path, { keepLast: true, root });
}

interface Linked {
  readonly path: string;
  readonly linkTarget: string;
  readonly archive: string;
}

/** What a hard link is another name of: of a symbolic link itself, not of where it leads. */
function linked(node: TreeNode | undefined, { path, linkTarget, archive }: Linked): LayerEntry {
  if (node && node.kind !== "directory") return node.entry;
  throw new CopyRefused(
    `${archive}: ${path} is a hard link to ${linkTarget}, ${node ? "a folder" : "which is neither in the archive nor where it is unpacked"}`,
  );
}
