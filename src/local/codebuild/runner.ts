import { existsSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";
import type { BuildSpec } from "./buildspec.ts";
import { renderScript } from "./script.ts";
import type { Build, BuildPhase, Store } from "./store.ts";
import { buildEnvironment } from "./environment.ts";
import { BuildFailure, downloadSources, readSpec, uploadOutputs } from "./sources.ts";
import { emptyFolder, writeScript } from "./workspace.ts";
import { emitState } from "./state-event.ts";

/** Where one build works. */
export interface BuildFolders {
  readonly root: string;
  /** `CODEBUILD_SRC_DIR`; those of secondary sources lie beside it. */
  readonly source: string;
  readonly log: string;
  readonly status: string;
  readonly exported: string;
}

export interface Runner {
  /** Runs a new build to its end. */
  run(build: Build, signal: AbortSignal): Promise<void>;
  /** Follows a build that was running when the local accounts stopped, or ends it honestly. */
  resume(build: Build, signal: AbortSignal): Promise<void>;
  /** Ends the processes of a build. */
  stop(build: Build): Promise<void>;
}

const POLL_MS = 100;

export function createRunner(core: Core, store: Store): Runner {
  const { clock } = core;
  const keyOf = ({ account, region, id }: Build) => [account, region, id];
  const current = (build: Build): Build => store.builds.get(keyOf(build)) ?? build;
  const save = (build: Build, changed: Partial<Build>): Build => {
    const next = { ...current(build), ...changed };
    store.builds.put(keyOf(build), next);
    return next;
  };
  const log = (build: Build, lines: readonly string[]) =>
    core.logs.append({ account: build.account, region: build.region, group: build.logs.group, stream: build.logs.stream }, lines);

  async function run(build: Build, signal: AbortSignal): Promise<void> {
    const folders = foldersOf(core, build);
    const as = roleOf(core, build);
    try {
      await emptyFolder(folders.root);
      phase(build, "DOWNLOAD_SOURCE");
      await downloadSources(core, build, { folders, as });
      const spec = readSpec(build, folders);
      for (const [runtime, version] of Object.entries(spec.runtimes)) log(build, [`[Container] ${runtime} ${version} is asked for; the machine's own is used`]);
      await writeScript(join(folders.root, "build.sh"), renderScript(spec, folders));
      await start(build, { folders, spec, as });
      await follow(build, { folders, spec, as, signal });
    } catch (error) {
      if (signal.aborted) return;
      if (current(build).buildStatus === "IN_PROGRESS") fail(build, error as Error);
    }
  }

  async function start(build: Build, { folders, spec, as }: { readonly folders: BuildFolders; readonly spec: BuildSpec; readonly as: Principal }): Promise<void> {
    const env = await buildEnvironment(core, build, { folders, spec, as });
    await using output = await open(folders.log, "a");
    const child = core.children.start({
      owner: `codebuild/${build.id}`, kind: "build", command: "bash", args: ["--noprofile", "--norc", join(folders.root, "build.sh")], cwd: folders.source, env,
      stdio: ["ignore", output.fd, output.fd],
    });
    if (child.pid === undefined) throw new BuildFailure("COMMAND_EXECUTION_ERROR", "bash is not on PATH; install it");
  }

  /** Reads log and events until the script has ended. */
  async function follow(build: Build, parts: { readonly folders: BuildFolders; readonly spec: BuildSpec; readonly as: Principal; readonly signal: AbortSignal }): Promise<void> {
    const { folders, signal } = parts;
    const deadline = Date.parse(build.startTime) + build.project.timeoutInMinutes * 60_000;
    let seen = 0;
    for (;;) {
      await forwardLog(build, folders);
      const events = await readEvents(folders);
      for (const event of events.slice(seen)) apply(build, event);
      seen = events.length;
      const exit = events.find((event) => event.startsWith("EXIT "));
      if (exit !== undefined || current(build).buildStatus !== "IN_PROGRESS") return await finish(build, { ...parts, exitCode: Number(exit?.split(" ")[1] ?? 1) });
      // Ended without telling: killed from outside, unless its last line came after we looked.
      if (!isAlive(build) && !(await readEvents(folders)).some((event) => event.startsWith("EXIT "))) return await finish(build, { ...parts, exitCode: 137 });
      if (clock.now().getTime() > deadline) return await timeOut(build);
      await clock.sleep(POLL_MS, signal);
    }
  }

  const isAlive = (build: Build): boolean => core.children.of(`codebuild/${build.id}`).some((record) => core.children.isAlive(record));

  function apply(build: Build, event: string): void {
    const [kind, name = "", code = "0"] = event.split(" ");
    if (kind === "START") phase(build, name.toUpperCase());
    if (kind === "END" && code !== "0") endPhase(build, "FAILED", { statusCode: "COMMAND_EXECUTION_ERROR", message: `Error while executing command. Reason: exit status ${code}` });
    else if (kind === "END") endPhase(build, "SUCCEEDED");
  }

  async function finish(build: Build, { folders, spec, as, exitCode }: { readonly folders: BuildFolders; readonly spec: BuildSpec; readonly as: Principal; readonly exitCode: number }): Promise<void> {
    await forwardLog(build, folders);
    if (current(build).buildStatus !== "IN_PROGRESS") return;
    const failedPhase = current(build).phases.some((one) => one.phaseStatus === "FAILED");
    if (exitCode !== 0 || failedPhase) return end(build, "FAILED", failedPhase ? undefined : `the build's shell ended with exit status ${exitCode}`);
    phase(build, "UPLOAD_ARTIFACTS");
    await uploadOutputs(core, build, { folders, spec, as });
    save(build, { exportedEnvironmentVariables: await readExported(folders) });
    end(build, "SUCCEEDED");
  }

  async function timeOut(build: Build): Promise<void> {
    await stop(build);
    log(build, [`[Container] the build did not end within ${build.project.timeoutInMinutes} minutes`]);
    end(build, "TIMED_OUT");
  }

  function fail(build: Build, error: Error): void {
    const code = error instanceof BuildFailure ? error.code : ((error as { code?: string }).code ?? "INTERNAL_ERROR");
    log(build, [`[Container] ${code}: ${error.message}`]);
    endPhase(build, "FAILED", { statusCode: code, message: error.message });
    end(build, "FAILED");
  }

  function phase(build: Build, phaseType: string): void {
    const now = clock.now().toISOString();
    const before = current(build).phases.map((one) => (one.endTime ? one : { ...one, phaseStatus: one.phaseStatus ?? "SUCCEEDED", endTime: now }));
    if (before.some((one) => one.phaseType === phaseType)) return;
    log(build, [`[Container] ${now} Entering phase ${phaseType}`]);
    save(build, { currentPhase: phaseType, phases: [...before, { phaseType, startTime: now }] });
  }

  function endPhase(build: Build, phaseStatus: string, context?: NonNullable<BuildPhase["contexts"]>[number]): void {
    const { phases } = current(build);
    const now = clock.now().toISOString();
    save(build, { phases: phases.map((one, index) => (index === phases.length - 1 ? { ...one, phaseStatus, endTime: now, ...(context && { contexts: [context] }) } : one)) });
    if (context) log(build, [`[Container] ${now} Phase context status code: ${context.statusCode} Message: ${context.message}`]);
  }

  function end(build: Build, buildStatus: Build["buildStatus"], why?: string): void {
    if (why) log(build, [`[Container] ${why}`]);
    const now = clock.now().toISOString();
    store.transaction(() => {
      const { phases } = current(build);
      const ended = phases.map((one) => (one.endTime ? one : { ...one, endTime: now, phaseStatus: buildStatus === "SUCCEEDED" ? "SUCCEEDED" : buildStatus }));
      const done = save(build, { buildStatus, currentPhase: "COMPLETED", endTime: now, phases: [...ended, { phaseType: "COMPLETED", startTime: now }] });
      emitState(core, done);
    });
  }

  async function forwardLog(build: Build, folders: BuildFolders): Promise<void> {
    if (!existsSync(folders.log)) return;
    const { logOffset } = current(build);
    const bytes = (await readFile(folders.log)).subarray(logOffset);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end === 0) return;
    store.transaction(() => {
      log(build, bytes.subarray(0, end - 1).toString("utf8").split("\n"));
      save(build, { logOffset: logOffset + end });
    });
  }

  async function stop(build: Build): Promise<void> {
    for (const record of core.children.of(`codebuild/${build.id}`)) await core.children.end(record);
  }

  return {
    run, stop,
    async resume(build, signal) {
      const folders = foldersOf(core, build);
      const started = existsSync(folders.status) || isAlive(build);
      if (!started) return run(build, signal);
      try {
        const as = roleOf(core, build);
        await follow(build, { folders, spec: readSpec(build, folders), as, signal });
      } catch (error) {
        if (!signal.aborted && current(build).buildStatus === "IN_PROGRESS") fail(build, error as Error);
      }
    },
  };
}

async function readEvents({ status }: BuildFolders): Promise<readonly string[]> {
  if (!existsSync(status)) return [];
  const text = await readFile(status, "utf8");
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== "");
}

async function readExported({ exported }: BuildFolders): Promise<{ name: string; value: string }[]> {
  if (!existsSync(exported)) return [];
  return (await readFile(exported, "utf8")).split("\n").filter((line) => line.includes("=")).map((line) => {
    const [name = "", ...rest] = line.split("=");
    // printf %q leaves plain words as they are and escapes the rest with backslashes.
    return { name, value: rest.join("=").replaceAll(/\\(.)/g, "$1") };
  });
}

function foldersOf({ dataDir }: Core, { id }: Build): BuildFolders {
  const root = join(dataDir, "work", "codebuild", id.replaceAll(":", "-"));
  return { root, source: join(root, "src"), log: join(root, "build.log"), status: join(root, "status"), exported: join(root, "exported") };
}

/** The session of the project's role in which a build works. */
export const roleOf = (core: Core, build: Build): Principal =>
  core.directory.assumeAsService({ service: "codebuild.amazonaws.com", roleArn: build.project.serviceRole, sessionName: `AWSCodeBuild-${build.id.split(":").at(-1)}`, sourceArn: build.project.arn });
