import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { type Cli, printResult, Problem, UsageError } from "../cli.ts";
import { configForExisting, newRepository } from "../new-repository.ts";

interface InitFlags {
  readonly name?: string;
  readonly json?: boolean;
}

/** `omx init` */
export function init(program: Command, cli: Cli): void {
  program
    .command("init")
    .argument("[path]", "a new folder, or one with a workflow that has no omx.yaml yet", ".")
    .summary("make a workflow repository, or make one releasable")
    .description(
      "In an empty or new folder: writes a small WDL workflow with omx.yaml, a test with data and a README. In a folder that holds a workflow: writes omx.yaml alone. Never changes a file that is there.",
    )
    .option("--name <name>", "the workflow's name: lower-case letters, digits and hyphens (default: the folder's name)")
    .option("--json", 'one JSON document: {"path", "written"}')
    .action(async (path: string, flags: InitFlags) => {
      const written = await write(path, nameOf(path, flags));
      printResult(cli, flags, {
        value: { path: resolve(path), written },
        lines: [...written.map((file) => `wrote ${join(path, file)}`), "", `Next:  omx check ${inShell(path)}`],
      });
    });
}

/** As a shell takes it for one word. */
const inShell = (path: string): string => (/^[\w@%+=:,./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

function nameOf(path: string, { name }: InitFlags): string {
  const chosen =
    name ??
    basename(resolve(path))
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, "-")
      .replaceAll(/^[^a-z]+|-+$/g, "")
      .slice(0, 41);
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(chosen))
    throw new UsageError(`"${chosen}" is no name for a workflow: lower-case letters, digits and hyphens, at most 41; give one with --name`);
  return chosen;
}

async function write(path: string, name: string): Promise<readonly string[]> {
  if (existsSync(join(path, "omx.yaml")))
    throw new Problem(`${join(path, "omx.yaml")} is there already`, "`omx check` says what there is to correct in it");
  if (existsSync(path) && !statSync(path).isDirectory()) throw new UsageError(`${path} is a file; give a folder`);
  makeFolder(resolve(path));
  const files = await filesFor(path, name);
  const inTheWay = Object.keys(files).filter((file) => existsSync(join(path, file)));
  if (inTheWay.length > 0) throw new Problem(`these files are there already: ${inTheWay.join(", ")}`, "choose an empty folder");
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return Object.keys(files);
}

/** With those that it is in. Node's own `recursive` never ends where a folder is there and takes none, as /proc (Node 24). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Problem(`${dirname(path)} takes no folder`, "choose another place");
  }
}

async function filesFor(path: string, name: string): Promise<Readonly<Record<string, string>>> {
  const { openFolder } = await import("../../workflow/folder-tree.ts");
  const { inspect } = await import("../../workflow/inspect.ts");
  const tree = openFolder(path);
  const found = inspect(tree);
  if (found.engine && found.main) return { "omx.yaml": configForExisting(name, found) };
  if (tree.files.some((file) => /\.(wdl|nf|cwl)$/.test(file)))
    throw new Problem(
      `${path} holds workflow files, and its main file can't be told: ${found.diagnostics[0]?.message ?? ""}`,
      "write an omx.yaml with `name`, `version`, `engine` and `main`",
    );
  return newRepository(name);
}
