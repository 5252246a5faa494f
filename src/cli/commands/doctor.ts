import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { findRunning } from "../accounts/data-dir.ts";
import { type Cli, NotDone, printResult } from "../cli.ts";

/** One thing that omx uses, and what to do where it is not there. */
interface Finding {
  readonly name: string;
  readonly status: "ok" | "missing" | "optional";
  readonly detail: string;
  readonly fix?: string;
}

/** `omx doctor` */
export function doctor(program: Command, cli: Cli): void {
  program
    .command("doctor")
    .summary("what is installed, and what to do about what is missing")
    .description(
      "Looks at this machine: programs, workflow engines, container runtime, the local accounts. Exit code 1 when something is missing that omx can't do without.",
    )
    .option("--json", 'one JSON document: {"ok", "findings": [{"name", "status": "ok|missing|optional", "detail", "fix"}]}')
    .action((flags: { readonly json?: boolean }) => {
      const findings = examine(cli);
      const ok = findings.every(({ status }) => status !== "missing");
      printResult(cli, flags, { value: { ok, findings }, lines: findings.flatMap(describe) });
      if (!ok) throw new NotDone();
    });
}

const MARKS = { ok: "✓", missing: "✗", optional: "–" } as const;

const describe = ({ name, status, detail, fix }: Finding): readonly string[] => [
  `${MARKS[status]} ${name.padEnd(20)} ${detail}`,
  ...(fix && status !== "ok" ? [`    ${fix}`] : []),
];

function examine(cli: Cli): readonly Finding[] {
  const said = (program: string, args: readonly string[]): string | undefined => {
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: "utf8",
      env: { ...cli.settings.inherited, PATH: cli.settings.path },
      timeout: 10_000,
    });
    return status === 0 ? (`${stdout}${stderr}`.trim().split("\n")[0] ?? "") : undefined;
  };
  return [
    { name: "Node", status: "ok", detail: process.version },
    needed("git", said("git", ["--version"]), "install git (Debian and Ubuntu: apt-get install git)"),
    needed(
      "Python with venv",
      said("python3", ["-c", "import sys, venv, ensurepip; assert sys.version_info >= (3, 9); print(sys.version.split()[0])"]),
      "install Python 3.9 or newer with venv (Debian and Ubuntu: apt-get install python3-venv)",
    ),
    engine(cli, "miniwdl", "WDL"),
    engine(cli, "cwltool", "CWL"),
    nextflow(said),
    containers(said),
    optional(
      "AWS CLI",
      said("aws", ["--version"]),
      "omx does without; to look into the accounts yourself: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    ),
    accounts(cli),
  ];
}

type Said = (program: string, args: readonly string[]) => string | undefined;

const needed = (name: string, found: string | undefined, fix: string): Finding =>
  found === undefined ? { name, status: "missing", detail: "not found", fix } : { name, status: "ok", detail: found };

const optional = (name: string, found: string | undefined, fix: string): Finding =>
  found === undefined ? { name, status: "optional", detail: "not found", fix } : { name, status: "ok", detail: found };

/** Engines that are Python programs are installed into private environments when a workflow first needs them. */
function engine({ settings }: Cli, program: string, language: string): Finding {
  const folders = [join(settings.root, "node_modules", ".cache", "omx", "engines"), join(settings.dataDir, "engines")];
  const installed = folders
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .some((name) => name.startsWith(`${program}-`) && !name.endsWith(".partial"));
  return {
    name: `${program} (${language})`,
    status: "ok",
    detail: installed ? "installed in a private environment" : "is installed by the first run that needs it (half a minute)",
  };
}

function nextflow(said: Said): Finding {
  const own = said("nextflow", ["-v"]);
  const java = Number(/version "(\d+)/.exec(said("java", ["-version"]) ?? "")?.[1] ?? 0) >= 17 && said("mvn", ["-v"]) !== undefined;
  const fix =
    "only Nextflow workflows need it: install Nextflow, or Java 17 and Maven (Debian and Ubuntu: apt-get install openjdk-17-jre-headless maven)";
  return optional("Nextflow", own ?? (java ? "is fetched with Java and Maven by the first run that needs it" : undefined), fix);
}

function containers(said: Said): Finding {
  const engines = ["docker", "podman"].filter((program) => said(program, ["info"]) !== undefined);
  const fix = "without Docker or Podman tasks run on this host, not isolated, and an image with a RUN can't be built";
  return optional("container runtime", engines.length > 0 ? engines.join(", ") : undefined, fix);
}

function accounts({ settings }: Cli): Finding {
  const running = findRunning(settings.dataDir);
  return optional("local accounts", running && `${running.url}, process ${running.pid}`, "start them with: omx local start --detach");
}
