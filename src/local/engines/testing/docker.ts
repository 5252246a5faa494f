import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Whether Docker answers on this machine. */
export function hasDocker(): boolean {
  try {
    execFileSync("docker", ["info"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const PROGRAMS = [
  "bash",
  "sh",
  "cat",
  "env",
  "sleep",
  "wc",
  "ls",
  "head",
  "tail",
  "od",
  "touch",
  "mkdir",
  "id",
  "ps",
  "find",
  "grep",
  "sed",
  "awk",
  "date",
  "tee",
  "dirname",
  "basename",
  "mktemp",
  "rm",
  "cp",
  "mv",
  "ln",
  "tr",
  "cut",
  "sort",
  "uniq",
  "chmod",
  "stat",
  "python3",
];

/**
 * The environment in which Podman runs containers here; undefined where it can't. Inside of a container, and for a common
 * user, it may not raise the limits that it gives containers by default: they are lowered, in a file of the folder.
 */
export function podmanEnvironment(tag: string, folder: string): Readonly<Record<string, string>> | undefined {
  const CONTAINERS_CONF = join(folder, "containers.conf");
  writeFileSync(CONTAINERS_CONF, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n');
  try {
    execFileSync("podman", ["info"], { stdio: "ignore" });
    importHostImage(tag, "podman");
    execFileSync("podman", ["run", "--rm", "--network", "none", "--memory", "64m", tag, "env"], {
      stdio: "ignore",
      env: { ...process.env, CONTAINERS_CONF },
    });
    return { CONTAINERS_CONF };
  } catch {
    return undefined;
  }
}

/** An image of this machine's own bash, coreutils and python3, imported under `tag`. */
export function importHostImage(tag: string, program: "docker" | "podman" = "docker"): void {
  const root = mkdtempSync(join(tmpdir(), "omx-image-"));
  for (const folder of ["bin", "usr/bin", "tmp", "etc", "proc", "dev", "mnt/workflow"]) mkdirSync(join(root, folder), { recursive: true });
  for (const program of PROGRAMS) addProgram(root, program);
  execFileSync("sh", ["-c", `tar -C "$1" -c . | "$3" import --change 'ENV PATH=/usr/bin:/bin' - "$2"`, "sh", root, tag, program], {
    stdio: "ignore",
  });
  rmSync(root, { recursive: true });
}

function addProgram(root: string, program: string): void {
  const found = [`/usr/bin/${program}`, `/bin/${program}`].find(existsSync);
  if (found === undefined) return;
  const real = realpathSync(found);
  copyWithLibraries(root, real);
  for (const place of [`usr/bin/${program}`, `bin/${program}`]) if (!existsSync(join(root, place))) symlinkSync(real, join(root, place));
  if (program === "python3") copyPythonLibrary(root, real);
}

function copyWithLibraries(root: string, file: string): void {
  copy(root, file);
  let listed = "";
  try {
    listed = execFileSync("ldd", [file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return; // a script or a static program has no libraries
  }
  for (const match of listed.matchAll(/(\/\S+) \(0x/g)) if (match[1] !== undefined) copy(root, match[1]);
}

function copyPythonLibrary(root: string, python: string): void {
  const library = execFileSync(python, ["-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"], { encoding: "utf8" }).trim();
  for (const part of ["encodings", "collections", "re", "importlib"]) if (existsSync(join(library, part))) copy(root, join(library, part));
  execFileSync("sh", ["-c", `mkdir -p "$2$1"; cp "$1"/*.py "$2$1"`, "sh", library, root]);
}

function copy(root: string, file: string): void {
  const target = join(root, file);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  cpSync(file, target, { dereference: true, recursive: true });
}
