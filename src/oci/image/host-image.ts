import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Random } from "../../kit/random.ts";
import { systemRandom } from "../../kit/random.ts";
import type { Platform } from "../manifest.ts";
import { CREATED, imageOf } from "./built-image.ts";
import type { BuiltImage } from "./built-image.ts";
import { HostFiles } from "./host-files.ts";
import { HostLibraries } from "./host-libraries.ts";
import { writeLayer } from "./layer.ts";
import { fileOf } from "./tar-writer.ts";

export interface HostImageOptions {
  /** Where the layer is kept until the caller has pushed it and removes it. */
  readonly folder: string;
  /** Programs beside the usual ones, by name or absolute path. @default none */
  readonly programs?: readonly string[];
  /** @default "none": the image is pushed on one machine, where compressing takes longer than sending */
  readonly compression?: "gzip" | "none";
  readonly random?: Random;
}

/** This machine cannot be made an image; the message says what it lacks. */
export class HostImageUnavailable extends Error {
  override readonly name = "HostImageUnavailable";
}

/**
 * Makes an image of this Linux machine's own bash, coreutils, awk, grep, sed, find, gzip, tar, ps and python3, with
 * their libraries: something real to run tasks in where no public registry answers. No daemon is needed.
 * @throws HostImageUnavailable on another system, or where bash or python3 is missing
 */
export async function assembleHostImage(options: HostImageOptions): Promise<BuiltImage> {
  const platform = hostPlatform();
  const files = new HostFiles();
  const libraries = new HostLibraries(files);
  const bash = await addProgram("bash", { files, libraries });
  if (bash === undefined) throw new HostImageUnavailable("this machine has no bash; install bash");
  for (const program of [...PROGRAMS, ...(options.programs ?? [])]) await addProgram(program, { files, libraries });
  await addPython({ files, libraries });
  for (const name of LOADED_LATER) await libraries.addOptional(name, bash);
  await addSystem(files);
  const random = options.random ?? systemRandom;
  const layer = await writeLayer(files.entries, {
    folder: options.folder,
    random,
    compression: options.compression ?? "none",
  });
  const history = [{ created: CREATED, created_by: "programs of the host, assembled by omx" }];
  return imageOf({ platform, config: CONFIG, history, layers: [layer] });
}

const CONFIG = {
  Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
  Cmd: ["bash"],
};

const COREUTILS =
  "[ arch b2sum base32 base64 basename basenc cat chgrp chmod chown cksum comm cp csplit cut date dd df dir dirname du echo env expand expr factor false fmt fold groups head hostid id install join link ln logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pr printenv printf ptx pwd readlink realpath rm rmdir seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes";

const PROGRAMS = [
  "sh",
  ...COREUTILS.split(" "),
  ..."awk mawk gawk grep egrep fgrep sed find xargs gzip gunzip zcat tar ps pgrep pkill free uptime hostname which diff cmp kill".split(
    " ",
  ),
];

/** Opened by glibc when a name is looked up, a thread ends, or stdbuf is used. */
const LOADED_LATER = ["libnss_files.so.2", "libgcc_s.so.1"];

const PROGRAM_FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"];

interface Collected {
  readonly files: HostFiles;
  readonly libraries: HostLibraries;
}

function hostPlatform(): Platform {
  if (process.platform !== "linux")
    throw new HostImageUnavailable(`an image can be made of a Linux machine's programs; this one runs ${process.platform}`);
  const architecture = { x64: "amd64", arm64: "arm64", ppc64: "ppc64le", s390x: "s390x", riscv64: "riscv64" }[process.arch as string];
  if (architecture === undefined) throw new HostImageUnavailable(`no platform of containers is known for ${process.arch}`);
  return { os: "linux", architecture };
}

/** Where the program really lies; undefined where the machine does not have it. */
async function addProgram(name: string, { files, libraries }: Collected): Promise<string | undefined> {
  for (const path of name.startsWith("/") ? [name] : PROGRAM_FOLDERS.map((folder) => join(folder, name))) {
    const real = await files.add(path);
    if (real === undefined) continue;
    const missing = await libraries.addFor(real);
    if (missing.length > 0) throw new HostImageUnavailable(`${path} needs ${missing.join(", ")}, which this machine does not have`);
    return real;
  }
  return undefined;
}

/** What a Python program can do without in a task: tests, the editor, installers, and what is compiled on first use. */
const UNNEEDED_PYTHON =
  /(?:^|\/)(?:__pycache__|tests?|idlelib|turtledemo|tkinter|ensurepip|lib2to3|pydoc_data|dist-packages|site-packages|config-[^/]*)(?:\/|$)|\.a$/;

const ASK_PYTHON =
  "import os, sys, sysconfig; print(os.path.realpath(sys.executable)); print(sysconfig.get_path('stdlib')); print(sysconfig.get_path('platstdlib')); print(sys.executable)";

async function addPython(collected: Collected): Promise<void> {
  const [program = "", ...lines] = await askPython();
  const executable = lines.at(-1) ?? program;
  if ((await addProgram(executable, collected)) === undefined) throw new HostImageUnavailable(`${executable} is gone`);
  for (const folder of new Set(lines.slice(0, 2))) {
    const added = await collected.files.addTree(folder, (relative) => !UNNEEDED_PYTHON.test(relative));
    for (const file of added.filter((path) => /\.so(\.|$)/.test(path))) await addExtension(file, collected);
  }
  // Where python3 is not in a usual folder, tasks that say `python3` find it all the same.
  if (!PROGRAM_FOLDERS.includes(executable.slice(0, executable.lastIndexOf("/"))))
    collected.files.put({ kind: "symlink", path: "usr/bin/python3", mode: 0o777, linkTarget: executable });
}

/** An extension module whose library is not installed cannot be imported on the host either. */
const addExtension = (file: string, { libraries }: Collected): Promise<unknown> => libraries.addFor(file);

async function askPython(): Promise<readonly string[]> {
  for (const program of [...PROGRAM_FOLDERS.map((folder) => join(folder, "python3")), "python3"]) {
    const answer = await promisify(execFile)(program, ["-I", "-c", ASK_PYTHON]).catch(() => undefined);
    if (answer) return answer.stdout.trim().split("\n");
  }
  throw new HostImageUnavailable("this machine has no python3; install python3");
}

async function addSystem(files: HostFiles): Promise<void> {
  for (const path of ["/etc/os-release", "/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8"]) await addWhole(files, path);
  for (const path of ["dev", "etc", "home", "mnt", "opt", "proc", "run", "sys", "usr", "var", "usr/local", "usr/local/bin"])
    if (!files.entries.some((entry) => entry.path === path)) files.put({ kind: "directory", path, mode: 0o755 });
  files.put({ kind: "directory", path: "root", mode: 0o755 });
  for (const path of ["tmp", "var/tmp"]) files.put({ kind: "directory", path, mode: 0o1777 });
  files.put(fileOf("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"));
  files.put(fileOf("etc/group", "root:x:0:\nnogroup:x:65534:\n"));
  files.put(fileOf("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"));
}

async function addWhole(files: HostFiles, path: string): Promise<void> {
  const real = await files.add(path);
  if (real !== undefined) await files.addTree(real, () => true).catch(ignoreFile);
}

/** A file has no tree below it. */
function ignoreFile(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === "ENOTDIR") return [];
  throw error;
}
