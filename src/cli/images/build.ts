import { existsSync, rmSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { s3For } from "../../aws/bucket-region.ts";
import { ecr } from "../../aws/services/ecr.ts";
import { logs } from "../../aws/services/logs.ts";
import { s3 } from "../../aws/services/s3.ts";
import { parseS3Uri } from "../../kit/s3-uri.ts";
import { RegistryError } from "../../oci/errors.ts";
import { InvalidManifest } from "../../oci/manifest.ts";
import { DockerfileError } from "../../oci/image/dockerfile.ts";
import { ReleaseError } from "../../release/errors.ts";
import { type BuildFolder, buildFolderAnyhow, type FolderResult } from "../../release/images/build/build.ts";
import type { Engine } from "../../release/images/build/engine.ts";
import { findEngine } from "../../release/images/build/find-engine.ts";
import { planEachBuild } from "../../release/images/manifest.ts";
import { fetchSource } from "../../release/images/build/source-folder.ts";
import type { BuildItem } from "../../release/images/staging.ts";
import { type Choice, openSession, type Session } from "../aws/session.ts";
import { type Cli, Problem } from "../cli.ts";
import { type RepositoryFlags, repositorySettings } from "./new-repositories.ts";
import { workshopOf } from "./workshop.ts";

/** What `omx images build --json` prints. */
export interface BuiltOutcome {
  readonly source: string;
  readonly target: string;
  readonly status: "BUILT" | "SKIPPED" | "FAILED";
  readonly digest?: string;
  readonly bytes?: number;
  readonly bytesMoved?: number;
  readonly bytesSaved?: number;
  readonly seconds: number;
  /** The engine that ran its RUN lines. */
  readonly engine?: Engine["program"];
  readonly reason: string;
}

export interface BuildOneRequest {
  /** A folder, or `s3://…`. */
  readonly source: string;
  readonly image: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly force: boolean;
  readonly upstreams: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly platforms: readonly string[] | undefined;
  readonly label: string | undefined;
  readonly commit: string | undefined;
  /** How its repository is made. */
  readonly repositories: RepositoryFlags;
}

/** Builds one image into the account's ECR. @throws Problem for a request that is none */
export async function buildOne(cli: Cli, choice: Choice, request: BuildOneRequest): Promise<BuiltOutcome> {
  const isRemote = request.source.startsWith("s3://");
  if (!isRemote && !existsSync(request.source))
    throw new Problem(`${request.source} does not exist`, "name the folder of the Dockerfile, or s3://…");
  if (!isRemote && !statSync(request.source).isDirectory())
    throw new Problem(
      `${request.source} is no folder`,
      "name the folder whose files are copied, and with --dockerfile another file of it than Dockerfile",
    );
  const session = await openSession(cli, choice, { ecr, logs, s3 });
  const item = itemOf(session, request);
  const started = cli.clock.now().getTime();
  const work = await mkdtemp(join(tmpdir(), "omx-build-"));
  // Layers may be many gigabytes, and an engine's logins must not outlive the build.
  const killed = new AbortController();
  using _ = cli.whenKilled(() => {
    killed.abort();
    rmSync(work, { recursive: true, force: true });
  });
  try {
    const context = isRemote ? join(work, "context") : request.source;
    if (isRemote) await fetchSource(await s3For(session.clients, parseS3Uri(request.source).bucket), request.source, context);
    const built = await build({ cli, session, item, request, killed: killed.signal }, { context, work });
    return { source: request.source, target: item.target_image, ...built, seconds: (cli.clock.now().getTime() - started) / 1000 };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function itemOf(
  { place }: Pick<Session, "place">,
  { source, image, dockerfile, args, force, target, platforms, label, commit }: BuildOneRequest,
): BuildItem {
  const [item] = planEachBuild(
    [
      {
        source_uri: source.startsWith("s3://") ? source : "s3://local/folder/",
        target_image: image,
        dockerfile,
        build_args: args,
        force,
        ...(target && { target }),
        ...(platforms && { platforms }),
        ...(label && { source: label }),
        ...(commit && { commit }),
      },
    ],
    place,
  );
  if (!item || !("build_args" in item)) throw new Problem(item?.reason ?? "the image can't be built", "see `omx help images build`");
  return item;
}

interface Building {
  readonly cli: Cli;
  readonly session: Session<"ecr" | "logs">;
  readonly item: BuildItem;
  readonly request: Pick<BuildOneRequest, "upstreams" | "repositories">;
  readonly killed: AbortSignal;
}

async function build(
  { cli, session, item, request: { upstreams, repositories }, killed }: Building,
  folder: BuildFolder,
): Promise<Omit<BuiltOutcome, "source" | "target" | "seconds">> {
  const workshop = { ...workshopOf(cli, session, upstreams), repositories: repositorySettings(repositories, session.place) };
  try {
    const engine = async (reason: string) => {
      const {
        settings: { inherited, path, home },
        say,
      } = cli;
      const found = await findEngine({ env: { ...inherited, PATH: path, HOME: home }, folder: join(folder.work, "logins") });
      if (found) say(`  ${reason}: building with ${found.program}`);
      return found && { ...found, onLine: say, signal: killed };
    };
    const { engine: used, ...built } = await buildFolderAnyhow({ ...workshop, logs: session.clients.logs }, item, { ...folder, engine });
    if (built.status === "NEEDS_ENGINE") return { status: "FAILED", reason: `${built.reason}; install Docker, Podman or Buildah` };
    return { ...outcome(built), ...(used && { engine: used }) };
  } catch (error) {
    // What an engine says ends with its own last words.
    if (error instanceof ReleaseError && error.code !== "ImagesFailed")
      return { status: "FAILED", reason: `${error.message}; ${error.fix}` };
    const isItsOwn = [RegistryError, DockerfileError, InvalidManifest, ReleaseError].some((type) => error instanceof type);
    if (isItsOwn) return { status: "FAILED", reason: (error as Error).message };
    throw error;
  }
}

function outcome({
  status,
  digest,
  size,
  bytes_moved: bytesMoved,
  bytes_saved: bytesSaved,
  reason,
}: FolderResult): Omit<BuiltOutcome, "source" | "target" | "seconds"> {
  return {
    status: statusOf(status),
    reason: reason ?? "",
    ...(digest && { digest }),
    ...(size !== undefined && { bytes: size }),
    ...(bytesMoved !== undefined && { bytesMoved }),
    ...(bytesSaved !== undefined && { bytesSaved }),
  };
}

function statusOf(status: FolderResult["status"]): BuiltOutcome["status"] {
  if (status === "SUCCEEDED") return "BUILT";
  return status === "SKIPPED" ? "SKIPPED" : "FAILED";
}
