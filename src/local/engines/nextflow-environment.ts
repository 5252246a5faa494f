import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { asset, packageRoot } from "./assets.ts";
import { runCommand } from "../children/run-command.ts";
import { EngineUnavailable, type EnvironmentHost } from "./python-environment.ts";

/** The version whose artifacts are pinned here. */
export const PINNED_NEXTFLOW = "24.10.0";

/** Packages of Java that Nextflow opens by reflection, as its own launcher does. */
const OPENED = ["java.lang", "java.io", "java.nio", "java.net", "java.util", "sun.nio.ch", "sun.nio.fs"];

/** Nextflow waits more than it computes: without the optimizing compiler it starts in 40 % of the CPU time (measured). */
const BRISK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/** The words that start Nextflow on this machine. */
export interface Nextflow {
  readonly command: readonly string[];
  readonly version: string;
}

/**
 * Nextflow: the program on PATH, else the pinned artifacts, fetched by Maven and held to their checksums.
 * @throws EngineUnavailable when there is neither Nextflow nor Java 17 with Maven
 */
export function nextflowOf(host: EnvironmentHost): Promise<Nextflow> {
  const path = host.environment["PATH"] ?? "";
  const known = found.get(path) ?? find(host);
  found.set(path, known);
  known.catch(() => found.delete(path));
  return known;
}

/** By PATH: to ask Nextflow for its version takes a second or two, which each run would pay. */
const found = new Map<string, Promise<Nextflow>>();

async function find(host: EnvironmentHost): Promise<Nextflow> {
  const version = await versionOnPath(host);
  if (version !== undefined) return { command: ["nextflow"], version };
  await checkJava(host);
  const lib = await pinnedArtifacts(host);
  return {
    command: [
      "java",
      ...BRISK,
      ...OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
      "-cp",
      join(lib, "*"),
      "nextflow.cli.Launcher",
    ],
    version: PINNED_NEXTFLOW,
  };
}

/**
 * Which Nextflow would run, without fetching it.
 * @throws EngineUnavailable when there is neither Nextflow nor Java 17 with Maven
 */
export async function findNextflow(host: EnvironmentHost): Promise<{ readonly state: "ready" | "on first use"; readonly says: string }> {
  const version = await versionOnPath(host);
  if (version !== undefined) return { state: "ready", says: `Nextflow ${version} on PATH` };
  await checkJava(host);
  if (presentArtifacts(host) !== undefined) return { state: "ready", says: `Nextflow ${PINNED_NEXTFLOW}, pinned` };
  const { code } = await runCommand(host, { owner: "engines/nextflow", program: "mvn", args: ["-version"] });
  if (code !== 0) throw new EngineUnavailable(`workflows in Nextflow need Nextflow, and it is not on PATH: ${HOW}`);
  return { state: "on first use", says: `Nextflow ${PINNED_NEXTFLOW} is fetched by Maven when a workflow needs it` };
}

async function versionOnPath(host: EnvironmentHost): Promise<string | undefined> {
  const found = await runCommand(host, { owner: "engines/nextflow", program: "nextflow", args: ["-v"] });
  return found.code === 0 ? /version (\d+\.\d+\.\d+)/.exec(found.text)?.[1] : undefined;
}

const HOW =
  "install Nextflow (https://www.nextflow.io/docs/latest/install.html), or Java 17 or newer and Maven: on Debian and Ubuntu apt-get install openjdk-17-jre-headless maven";

async function checkJava(host: EnvironmentHost): Promise<void> {
  const { code, text } = await runCommand(host, { owner: "engines/nextflow", program: "java", args: ["-XX:-UsePerfData", "-version"] });
  const major = Number(/version "(\d+)/.exec(text)?.[1] ?? 0);
  if (code !== 0 || major < 17) throw new EngineUnavailable(`workflows in Nextflow need Nextflow, and it is not on PATH: ${HOW}`);
}

function placesOf(host: EnvironmentHost): readonly string[] {
  const name = `nextflow-${PINNED_NEXTFLOW}-${createHash("sha256").update(checksums()).digest("hex").slice(0, 12)}`;
  return [join(packageRoot(), "node_modules", ".cache", "omx", "engines", name), join(host.dataDir, "engines", name)];
}

const checksums = (): string => readFileSync(asset("nextflow/checksums.txt"), "utf8");

const presentArtifacts = (host: EnvironmentHost): string | undefined =>
  placesOf(host)
    .map((place) => join(place, "lib"))
    .find(existsSync);

async function pinnedArtifacts(host: EnvironmentHost): Promise<string> {
  const present = presentArtifacts(host);
  if (present !== undefined) return present;
  const places = placesOf(host);
  const target = places.find(isMakeable) ?? places.at(-1) ?? "";
  await fetchArtifacts(target, checksums(), host);
  return join(target, "lib");
}

function isMakeable(place: string): boolean {
  try {
    mkdirSync(dirname(place), { recursive: true });
    return true;
  } catch {
    return false;
  }
}

async function fetchArtifacts(target: string, checksums: string, host: EnvironmentHost): Promise<void> {
  const partial = `${target}.${process.pid}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  copyFileSync(asset("nextflow/pom.xml"), join(partial, "pom.xml"));
  const args = [
    "--quiet",
    "--batch-mode",
    "--file",
    join(partial, "pom.xml"),
    "dependency:copy-dependencies",
    `-DoutputDirectory=${join(partial, "lib")}`,
  ];
  const { code, text } = await runCommand(host, { owner: "engines/nextflow", program: "mvn", args });
  if (code !== 0) throw new EngineUnavailable(`Maven can't fetch Nextflow ${PINNED_NEXTFLOW} (${text.trim().slice(-300)}): ${HOW}`);
  verify(join(partial, "lib"), checksums);
  if (existsSync(target)) rmSync(partial, { recursive: true, force: true });
  else renameSync(partial, target);
}

/** @throws EngineUnavailable naming the first artifact that is not what was pinned */
function verify(lib: string, checksums: string): void {
  for (const line of checksums.trim().split("\n")) {
    const [expected = "", name = ""] = line.split(/\s+/);
    const file = join(lib, name);
    const actual = existsSync(file) ? createHash("sha256").update(readFileSync(file)).digest("hex") : "none";
    if (actual !== expected)
      throw new EngineUnavailable(`the artifact ${name} of Nextflow ${PINNED_NEXTFLOW} is not the pinned one (SHA-256 ${actual})`);
  }
}
