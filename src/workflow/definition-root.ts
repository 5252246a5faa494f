import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join, resolve, sep } from "node:path";

/**
 * Files that definitions name in each other; Nextflow's includes may leave out `.nf` and `main.nf`. A path begins where
 * its characters do and has a length: a long text is passed over in one go.
 */
const REFERENCE = /(?<![\w./-])[\w./-]{1,300}\.(?:wdl|cwl|nf|config|ya?ml|json)\b|(?<=\bfrom\s{0,8}['"])\.[\w./-]{1,300}/g;
const ENDINGS = ["", ".nf", "/main.nf"];
const DEFINITION = new Set([".wdl", ".cwl", ".nf"]);
const MAX_FILES = 500;
const MAX_FILE_BYTES = 1024 * 1024;
/** How far above the main file its imports may lie: beyond, they are not of one definition. */
const MAX_LEVELS = 6;

/**
 * The folder that holds a main file and everything it leads to: the Git repository it is in; else the nearest folder
 * above it that has in it what the file, and what that names in turn, names by relative paths such as `../tasks/a.wdl`.
 */
export function definitionRoot(main: string): string {
  const file = resolve(main);
  return repositoryOf(file) ?? folderAbove(file);
}

function repositoryOf(file: string): string | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, ".git"))) return folder;
  return undefined;
}

function folderAbove(file: string): string {
  const home = dirname(file);
  const highest = ancestor(home, MAX_LEVELS);
  const seen = new Set([file]);
  let root = home;
  for (const each of seen) {
    for (const named of namedIn(each)) {
      if (seen.size >= MAX_FILES) return root;
      if (!isWithin(highest, named) || seen.has(named) || !isFile(named)) continue;
      seen.add(named);
      while (!isWithin(root, named)) root = dirname(root);
    }
  }
  return root;
}

function namedIn(file: string): readonly string[] {
  if (!DEFINITION.has(extname(file)) || statSync(file).size > MAX_FILE_BYTES) return [];
  const found = readFileSync(file, "utf8").match(REFERENCE) ?? [];
  const relative = [...new Set(found)].filter((each) => !each.startsWith("/"));
  return relative.flatMap((each) => ENDINGS.map((ending) => join(dirname(file), each + ending)));
}

/** A folder some levels up, never the root of the file system. */
function ancestor(folder: string, levels: number): string {
  const above = dirname(folder);
  return levels === 0 || dirname(above) === above ? folder : ancestor(above, levels - 1);
}

const isWithin = (folder: string, file: string): boolean => file.startsWith(folder + sep);
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
