import { existsSync } from "node:fs";
import { open, readdir, readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";
import { type BuildSpec, type PhaseName, PHASES } from "./buildspec.ts";
import { commandAt, renderScript } from "./script.ts";
import type { Build, Store } from "./store.ts";
import { buildEnvironment } from "./environment.ts";
import { forgetSecrets, maskOf } from "./masking.ts";
import { Failure } from "../gateway/failure.ts";
import { uploadOutputs } from "./outputs.ts";
import { downloadSources, readSpec } from "./sources.ts";
import { emptyFolder, writeScript } from "./workspace.ts";
import { current, end, endPhase, forwardLog, log, phase, save, type Worker } from "./ledger.ts";

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
  /** Ends the processes of builds that had ended, or were stopped, when the local accounts were killed. */
  endLeft(): Promise<void>;
}

const POLL_MS = 100;

/** Whose children the processes of a build are. */
const ownerOf = ({ id }: Pick<Build, "id">): string => `codebuild/${id}`;

export function createRunner(core: Core, store: Store): Runner {
  const worker: Worker = { core, store };
  return {
    run: (build, signal) => toItsEnd(worker, build, { work: run(worker, build, signal), signal }),
    resume: (build, signal) => toItsEnd(worker, build, { work: resume(worker, build, signal), signal }),
    stop: (build) => stop(worker, build),
    async endLeft() {
      const running = new Set(store.builds.find("running", "yes").map(({ value }) => ownerOf(value)));
      await Promise.all(
        core.children
          .of("codebuild")
          .filter(({ owner }) => !running.has(owner))
          .map((record) => core.children.end(record)),
      );
    },
  };
}

/** A build that goes on after a restart needs what is forgotten, and ended, of one that has ended: on AWS its container goes. */
async function toItsEnd(
  worker: Worker,
  build: Build,
  { work, signal }: { readonly work: Promise<void>; readonly signal: AbortSignal },
): Promise<void> {
  await work;
  if (signal.aborted) return;
  await stop(worker, build);
  await forgetSecrets(foldersOf(worker.core, build).root);
}

async function run(worker: Worker, build: Build, signal: AbortSignal): Promise<void> {
  const folders = foldersOf(worker.core, build);
  const as = roleOf(worker.core, build);
  try {
    await emptyFolder(folders.root);
    phase(worker, build, "DOWNLOAD_SOURCE");
    await downloadSources(worker.core, build, { folders, as });
    const spec = await readSpec(worker.core, build, { folders, as });
    checkUser(spec);
    for (const [runtime, version] of Object.entries(spec.runtimes))
      log(worker, build, [`[Container] ${runtime} ${version} is asked for; the machine's own is used`]);
    for (const key of spec.withoutEffect) log(worker, build, [`[Container] ${key} of the buildspec has no effect in the local accounts`]);
    await writeScript(join(folders.root, "build.sh"), renderScript(spec, folders));
    signal.throwIfAborted();
    await start(worker, build, { folders, spec, as });
    await follow(worker, build, { folders, spec, as, signal });
  } catch (error) {
    if (signal.aborted) return;
    if (current(worker, build).buildStatus === "IN_PROGRESS") fail(worker, build, error as Error);
  }
}

/** There is one user here: asking for another is refused rather than passed over. */
function checkUser({ runAs }: BuildSpec): void {
  const { username } = userInfo();
  const other = runAs.find((name) => name !== username);
  if (other)
    throw new Failure(
      "INVALID_INPUT",
      `the buildspec wants to run as ${other}; builds run as ${username} here, the user of the local accounts: take run-as out`,
    );
}

/** CodeBuild's shell is /bin/sh unless the buildspec says bash; in Amazon Linux images that is bash in its POSIX mode. */
function shellOf({ shell }: BuildSpec, { project }: Build): readonly [string, ...string[]] {
  if (shell === "bash") return ["bash", "--noprofile", "--norc"];
  return /amazonlinux/.test(project.environment.image) ? ["bash", "--posix", "--noprofile", "--norc"] : ["sh"];
}

async function start(
  worker: Worker,
  build: Build,
  { folders, spec, as }: { readonly folders: BuildFolders; readonly spec: BuildSpec; readonly as: Principal },
): Promise<void> {
  const env = await buildEnvironment(worker.core, build, { folders, spec, as });
  await using output = await open(folders.log, "a");
  const [command, ...options] = shellOf(spec, build);
  const child = worker.core.children.start({
    owner: ownerOf(build),
    kind: "build",
    command,
    args: [...options, join(folders.root, "build.sh")],
    cwd: folders.source,
    env,
    stdio: ["ignore", output.fd, output.fd],
  });
  if (child.pid === undefined) throw new Failure("COMMAND_EXECUTION_ERROR", `${command} is not on PATH; install it`);
}

/** Reads log and events until the script has ended. */
async function follow(
  worker: Worker,
  build: Build,
  parts: { readonly folders: BuildFolders; readonly spec: BuildSpec; readonly as: Principal; readonly signal: AbortSignal },
): Promise<void> {
  const { folders, signal } = parts;
  const deadline = Date.parse(build.startTime) + build.project.timeoutInMinutes * 60_000;
  const log = { log: folders.log, mask: await maskOf(folders.root) };
  let seen = 0;
  for (;;) {
    await forwardLog(worker, build, log);
    const events = await readEvents(folders);
    for (const event of events.slice(seen)) apply(worker, build, { event, spec: parts.spec });
    seen = events.length;
    const exit = events.find((event) => event.startsWith("EXIT "));
    if (exit !== undefined || current(worker, build).buildStatus !== "IN_PROGRESS")
      return await finish(worker, build, { ...parts, exitCode: Number(exit?.split(" ")[1] ?? 1) });
    // Ended without telling: killed from outside, unless its last line came after we looked.
    if (!isAlive(worker, build) && !(await readEvents(folders)).some((event) => event.startsWith("EXIT ")))
      return await finish(worker, build, { ...parts, exitCode: 137 });
    if (worker.core.clock.now().getTime() > deadline) return await timeOut(worker, build);
    await worker.core.clock.sleep(POLL_MS, signal);
  }
}

function isAlive(worker: Worker, build: Build): boolean {
  return worker.core.children.of(ownerOf(build)).some((record) => worker.core.children.isAlive(record));
}

function apply(worker: Worker, build: Build, { event, spec }: { readonly event: string; readonly spec: BuildSpec }): void {
  const [kind, name = "", code = "0", index = "-"] = event.split(" ");
  if (kind === "START") phase(worker, build, name.toUpperCase());
  if (kind === "END" && code !== "0") {
    const command = commandAt(spec.phases[name as PhaseName], Number(index));
    endPhase(worker, build, "FAILED", {
      statusCode: "COMMAND_EXECUTION_ERROR",
      message: `Error while executing command: ${command ?? "?"}. Reason: exit status ${code}`,
    });
  } else if (kind === "END") endPhase(worker, build, "SUCCEEDED");
}

/** What a build left is uploaded as soon as its build phase was reached, whether it succeeded or not. */
async function finish(
  worker: Worker,
  build: Build,
  {
    folders,
    spec,
    as,
    exitCode,
  }: { readonly folders: BuildFolders; readonly spec: BuildSpec; readonly as: Principal; readonly exitCode: number },
): Promise<void> {
  await forwardLog(worker, build, { log: folders.log, mask: await maskOf(folders.root) });
  const { buildStatus, phases } = current(worker, build);
  if (buildStatus !== "IN_PROGRESS") return;
  const unfinished = phases.find((one) => PHASES.some((name) => name.toUpperCase() === one.phaseType) && one.phaseStatus === undefined);
  if (unfinished)
    endPhase(
      worker,
      build,
      exitCode === 0 ? "SUCCEEDED" : "FAILED",
      exitCode === 0
        ? undefined
        : { statusCode: "COMMAND_EXECUTION_ERROR", message: `the build's shell ended with exit status ${exitCode}` },
    );
  const failed = exitCode !== 0 || phases.some((one) => one.phaseStatus === "FAILED");
  save(worker, build, { exportedEnvironmentVariables: await readExported(folders) });
  if (failed && !phases.some((one) => one.phaseType === "BUILD")) return end(worker, build, "FAILED");
  phase(worker, build, "UPLOAD_ARTIFACTS");
  await uploadOutputs(worker.core, build, { folders, spec, as });
  endPhase(worker, build, "SUCCEEDED");
  end(worker, build, failed ? "FAILED" : "SUCCEEDED");
}

async function timeOut(worker: Worker, build: Build): Promise<void> {
  await stop(worker, build);
  log(worker, build, [`[Container] the build did not end within ${build.project.timeoutInMinutes} minutes`]);
  end(worker, build, "TIMED_OUT");
}

function fail(worker: Worker, build: Build, error: Error): void {
  const code = error instanceof Failure ? error.code : ((error as { code?: string }).code ?? "INTERNAL_ERROR");
  log(worker, build, [`[Container] ${code}: ${error.message}`]);
  endPhase(worker, build, "FAILED", { statusCode: code, message: error.message });
  end(worker, build, "FAILED");
}

async function stop(worker: Worker, build: Build): Promise<void> {
  for (const record of worker.core.children.of(ownerOf(build))) await worker.core.children.end(record);
}

async function resume(worker: Worker, build: Build, signal: AbortSignal): Promise<void> {
  const folders = foldersOf(worker.core, build);
  const started = existsSync(folders.status) || isAlive(worker, build);
  if (!started) return run(worker, build, signal);
  try {
    const as = roleOf(worker.core, build);
    await follow(worker, build, { folders, spec: await readSpec(worker.core, build, { folders, as }), as, signal });
  } catch (error) {
    if (!signal.aborted && current(worker, build).buildStatus === "IN_PROGRESS") fail(worker, build, error as Error);
  }
}

async function readEvents({ status }: BuildFolders): Promise<readonly string[]> {
  if (!existsSync(status)) return [];
  const text = await readFile(status, "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "");
}

async function readExported({ exported }: BuildFolders): Promise<{ name: string; value: string }[]> {
  if (!existsSync(exported)) return [];
  const names = await readdir(exported);
  return Promise.all(names.sort().map(async (name) => ({ name, value: await readFile(join(exported, name), "utf8") })));
}

function foldersOf({ dataDir }: Core, { id }: Build): BuildFolders {
  const root = join(dataDir, "work", "codebuild", id.replaceAll(":", "-"));
  return { root, source: join(root, "src"), log: join(root, "build.log"), status: join(root, "status"), exported: join(root, "exported") };
}

/** The session of the project's role in which a build works. */
export const roleOf = (core: Core, build: Build): Principal =>
  core.directory.assumeAsService({
    service: "codebuild.amazonaws.com",
    roleArn: build.project.serviceRole,
    sessionName: `AWSCodeBuild-${build.id.split(":").at(-1)}`,
    sourceArn: build.project.arn,
  });
