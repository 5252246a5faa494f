import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { formatImageRef, type ImageRef, parseImageRef } from "../../../kit/image-ref.ts";
import { readPrivateEcrHost } from "../../../kit/image-ref-ecr.ts";
import { passwordFrom } from "../../../oci/client/credentials.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import { DEFAULT_PLATFORM, readBases, readDockerfile } from "./bases.ts";
import { engineAddress, type EnginePull, type PreparedDockerfile, writeEngineDockerfile } from "./engine-bases.ts";
import { type Dialect, dialectOf, platformFlags } from "./engine-dialect.ts";
import { type Engine, execute, run } from "./engine.ts";
import { buildFailed } from "./engine-failure.ts";
import { type EnginePushed, pushWithEngine } from "./engine-push.ts";
import { labelsOf } from "./labels.ts";
import type { PullWorkshop } from "../pull/pull.ts";
import { hashSource } from "./source-files.ts";
import type { BuildItem } from "../staging.ts";
import { workshopClient } from "../workshop.ts";

export interface EngineBuild {
  readonly engine: Engine;
  readonly workshop: PullWorkshop;
  readonly item: BuildItem;
  /** The source. */
  readonly context: string;
  /** For what the engine is given; the caller removes it. */
  readonly work: string;
}

/**
 * Builds one image with an engine and pushes it. The engine signs in wherever it pulls from or pushes to.
 * @throws ReleaseError ImagesFailed with the engine's last lines and its exit status; RegistryError
 */
export async function buildWithEngine(build: EngineBuild): Promise<EnginePushed> {
  const { engine, workshop, item, work } = build;
  await using client = workshopClient(workshop);
  const target = parseImageRef(item.target_image);
  const labels = labelsOf(item, { hash: await hashSource(build.context, item), bases: await readBases(client, item, build.context) });
  const image = engineAddress(workshop, target);
  const id = await makeWithEngine({ ...build, client, labels, platform: item.platforms?.[0] ?? DEFAULT_PLATFORM, isOneOfSeveral: false });
  return await pushWithEngine({
    engine,
    clock: workshop.clock,
    id,
    work,
    address: formatImageRef(image),
    flags: plainFlags(engine, [{ image: target, address: image }]),
    repository: client.repository(target),
    tag: target.tag ?? "latest",
  });
}

export interface EngineMake extends EngineBuild {
  readonly client: RegistryClient;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform: string;
  /** Whether other platforms are built too: each is pushed by its digest, and has no name in the engine. */
  readonly isOneOfSeveral: boolean;
}

/** Has an engine build for one platform. What the engine calls the image: two builds may give theirs one name. */
export async function makeWithEngine(make: EngineMake): Promise<string> {
  const { engine, workshop, item, context, work, platform } = make;
  const dialect = await dialectOf(engine);
  await mkdir(work, { recursive: true });
  const dockerfile = await dockerfileFor(make, dialect);
  const image = parseImageRef(item.target_image);
  const target = { image, address: engineAddress(workshop, image) };
  const asked = [...dockerfile.pulls, target];
  for (const one of new Map(asked.map((each) => [each.address.registry, each])).values()) await login(engine, workshop, one);
  const noted = join(work, "built");
  const args = await buildArguments(make, { dialect, dockerfile, asked, name: formatImageRef(target.address), noted });
  const ended = await execute(dialect === "classic" ? { ...engine, env: { ...engine.env, DOCKER_BUILDKIT: "0" } } : engine, args);
  if (ended.code !== 0)
    throw buildFailed(engine, ended, { dialect, platform, text: await readDockerfile(context, item), file: item.dockerfile });
  const built = await readFile(noted, "utf8");
  return dialect === "BuildKit" ? (JSON.parse(built) as BuildKitNotes)["containerimage.digest"] : built.trim();
}

async function dockerfileFor(make: EngineMake, dialect: Dialect): Promise<PreparedDockerfile> {
  const { engine, workshop, context, work: folder, client, platform, isOneOfSeveral } = make;
  const item = isOneOfSeveral ? { ...make.item, platforms: [platform] } : make.item;
  const bases = await readBases(client, item, context);
  return await writeEngineDockerfile({ workshop, item, context, bases, folder, client, engine, dialect, isOneOfSeveral });
}

interface EngineCommand {
  readonly dialect: Dialect;
  readonly dockerfile: PreparedDockerfile;
  /** Whatever the engine reads and writes. */
  readonly asked: readonly EnginePull[];
  /** Of the image. */
  readonly name: string;
  /** The file in which the engine notes what it calls the image. */
  readonly noted: string;
}

async function buildArguments(
  { engine, item, context, labels, platform, isOneOfSeveral }: EngineMake,
  { dialect, dockerfile, asked, name, noted }: EngineCommand,
): Promise<readonly string[]> {
  return [
    ...BUILD[dialect],
    ...formatFlags(engine),
    ...plainFlags(engine, asked),
    "--file",
    dockerfile.path,
    dialect === "BuildKit" ? "--metadata-file" : "--iidfile",
    noted,
    ...(isOneOfSeveral ? [] : ["--tag", name]),
    ...dockerfile.flags,
    ...argumentsOf(item),
    ...(await cacheOf(engine, name, { force: item.force ?? false, dialect, platform })),
    ...Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]),
    context,
  ];
}

/** BuildKit's `--iidfile` has the configuration's digest, by which a Docker that keeps its images in containerd finds none. */
interface BuildKitNotes {
  readonly "containerimage.digest": string;
}

/** Docker's `build` is BuildKit or not by version and settings; the image goes to where `push` and `save` look for it, and the log is one of lines. */
const BUILD: Readonly<Record<Dialect, readonly string[]>> = {
  BuildKit: ["buildx", "build", "--load", "--progress", "plain"],
  classic: ["build"],
  own: ["build"],
};

/** Podman and Buildah ask for HTTPS on loopback too. */
const plainFlags = ({ program }: Engine, asked: readonly EnginePull[]): readonly string[] =>
  program !== "docker" && asked.some(({ address }) => /^(?:localhost|127\.)/.test(address.registry)) ? ["--tls-verify=false"] : [];

/** Podman's and Buildah's own format has no place for SHELL, HEALTHCHECK and ONBUILD: they would pass over them. */
const formatFlags = ({ program }: Engine): readonly string[] => (program === "docker" ? [] : ["--format", "docker"]);

/** Signs in with what omx itself would ask with; a registry that is open to all is asked without. */
async function login(engine: Engine, workshop: PullWorkshop, asked: EnginePull): Promise<void> {
  const found = await credentialsFor(workshop, asked.image);
  if (found?.kind !== "password") return;
  // Docker warns of the file it writes to, which goes with the build.
  await run(
    { ...engine, onLine: () => undefined },
    ["login", ...plainFlags(engine, [asked]), "--username", found.username, "--password-stdin", asked.address.registry],
    found.password,
  );
}

async function credentialsFor({ ecr, ecrIn, place, credentials }: PullWorkshop, { registry }: ImageRef) {
  const home = readPrivateEcrHost(registry);
  if (!home) return credentials?.(registry);
  const asked = home.region === place.region ? ecr : (ecrIn?.(home.region) ?? ecr);
  return passwordFrom((await asked.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? "");
}

const argumentsOf = ({ target, build_args: args }: BuildItem): readonly string[] => [
  ...(target ? ["--target", target] : []),
  ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
];

/**
 * Layers of the image that is in ECR are taken where their instructions are unchanged, unless the item says `force`: what a RUN
 * fetches may have changed without a word of the Dockerfile. BuildKit reads its own notes in the image; Docker's classic builder
 * has to have the image itself, and leaves the container of a RUN that fails. Podman and Buildah keep to what they have.
 */
async function cacheOf(
  engine: Engine,
  image: string,
  { force, dialect, platform }: { readonly force: boolean; readonly dialect: Dialect; readonly platform: string },
): Promise<readonly string[]> {
  const anew = force ? ["--no-cache"] : [];
  if (dialect === "own") return anew;
  const from = ["--cache-from", image];
  if (dialect === "BuildKit") return [...(force ? anew : from), "--build-arg", "BUILDKIT_INLINE_CACHE=1"];
  const isThere = !force && (await execute({ ...engine, onLine: () => undefined }, ["pull", ...platformFlags(platform), image])).code === 0;
  return ["--force-rm", ...anew, ...(isThere ? from : [])];
}
