// `node scripts/bootstrap.mjs COMMAND [ARGUMENT …]`: does this clone's set-up, then runs the command with the project's
// own Node 24 and programs first on PATH. Plain JavaScript for Node 20; installs nothing outside the clone.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stamp = join(modules, ".omx-lock");

const say = (line) => process.stderr.write(`${line}\n`);

/** How a system's own packages are installed, where we can tell. */
function install(debian, mac, fedora) {
  if (process.platform === "darwin") return `brew install ${mac}`;
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (/^ID(_LIKE)?=.*(fedora|rhel|centos|amzn)/m.test(release)) return `sudo dnf install -y ${fedora}`;
  return `sudo apt-get install -y ${debian}`;
}

const answers = (program, args) => spawnSync(program, args, { stdio: "ignore" }).status === 0;

const PYTHONS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9"];

/** Everything that is missing: what it is for, and the one command that brings it. */
function missing() {
  const found = [];
  const require = (isThere, what, command) => isThere || found.push({ what, command });
  require(Number(process.versions.node.split(".")[0]) >= 20, `Node 20 or newer (this is ${process.versions.node})`, install(
    "nodejs npm",
    "node",
    "nodejs npm",
  ));
  require(answers("git", ["--version"]), "git, for the workflow repositories", install("git", "git", "git"));
  const recent = PYTHONS.filter((python) => answers(python, ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]));
  require(recent.length > 0, "Python 3.9 or newer, for the workflow engines", install("python3 python3-venv", "python", "python3"));
  // ensurepip is what Debian leaves out of its Python.
  require(recent.length === 0 ||
    recent.some((python) =>
      answers(python, ["-c", "import venv, ensurepip"]),
    ), "Python's venv module, for the private environments of the workflow engines", install("python3-venv", "python", "python3"));
  return found;
}

const lockHash = () =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");

/** Whether node_modules holds what the lock file says: our stamp, or (after a plain `npm ci`) npm's own record. */
function isInstalled() {
  if (!existsSync(modules)) return false;
  if (existsSync(stamp)) return readFileSync(stamp, "utf8") === lockHash();
  const record = join(modules, ".package-lock.json");
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages ?? {};
  const wanted = Object.entries(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages ?? {});
  return wanted.every(([path, entry]) => path === "" || entry.optional || installed[path]?.version === entry.version);
}

function installPackages() {
  say("omx: installing npm packages (npm ci)");
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (error) refuse(`npm can't be started (${error.message})`, install("npm", "node", "npm"));
  if (status !== 0) refuse("npm ci failed; its message is above", `npm ci --prefix ${root}`);
}

function nodeBinary() {
  const binary = join(modules, "node", "bin", "node");
  if (existsSync(binary) && answers(binary, ["--version"])) return binary;
  return refuse(
    "this project's Node 24 is not in node_modules: npm packages were installed without their scripts (--ignore-scripts, or ignore-scripts in .npmrc)",
    `npm rebuild node --ignore-scripts=false --prefix ${root}`,
  );
}

function refuse(what, command) {
  say(`✗ ${what}\n  run: ${command}`);
  process.exit(1);
}

function main([command, ...args]) {
  if (!command) {
    say("usage: node scripts/bootstrap.mjs COMMAND [ARGUMENT …]");
    process.exit(2);
  }
  const lacking = missing();
  for (const { what, command: bring } of lacking) say(`✗ missing: ${what}\n  run: ${bring}`);
  if (lacking.length > 0) process.exit(1);
  if (!isInstalled()) installPackages();
  const node = nodeBinary();
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lockHash()) writeFileSync(stamp, lockHash());
  start(node, command, args);
}

function start(node, command, args) {
  const path = [join(modules, ".bin"), dirname(node), process.env.PATH ?? ""].join(delimiter);
  const child = spawn(command === "node" ? node : command, args, { stdio: "inherit", env: { ...process.env, PATH: path } });
  child.on("error", (error) => refuse(`${command} can't be started: ${error.message}`, `npm ci --prefix ${root}`));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

main(process.argv.slice(2));
