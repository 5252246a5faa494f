import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { formatImageRef, type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import { passwordFrom } from "../../oci/client/credentials.ts";
import { readBases } from "./bases.ts";
import { engineAddress, type EnginePull, writeEngineDockerfile } from "./engine-bases.ts";
import { type Engine, execute, run } from "./engine.ts";
import { type EnginePushed, pushWithEngine } from "./engine-push.ts";
import { labelsOf } from "./labels.ts";
import type { PullWorkshop } from "./pull.ts";
import { hashSource } from "./source-files.ts";
import type { BuildItem } from "./staging.ts";
import { workshopClient } from "./workshop.ts";

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
export async function buildWithEngine({ engine, workshop, item, context, work }: EngineBuild): Promise<EnginePushed> {
  await using client = workshopClient(workshop);
  const bases = await readBases(client, item, context);
  const dockerfile = await writeEngineDockerfile({ workshop, item, context, bases, folder: work });
  const target = parseImageRef(item.target_image);
  const image = engineAddress(workshop, target);
  const asked = [...dockerfile.pulls, { image: target, address: image }];
  for (const one of new Map(asked.map((each) => [each.address.registry, each])).values()) await login(engine, workshop, one);
  const labels = Object.entries(labelsOf(item, { hash: await hashSource(context, item), bases })).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
  const cache = await cacheOf(engine, formatImageRef(image), item);
  await run(engine, ["build", ...formatFlags(engine), ...plainFlags(engine, asked), "--file", dockerfile.path, ...argumentsOf(item, formatImageRef(image)), ...cache, ...labels, context]);
  return await pushWithEngine({ engine, clock: workshop.clock, address: formatImageRef(image), flags: plainFlags(engine, asked.slice(-1)), repository: client.repository(target), tag: target.tag ?? "latest" });
}

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
  await run({ ...engine, onLine: () => undefined }, ["login", ...plainFlags(engine, [asked]), "--username", found.username, "--password-stdin", asked.address.registry], found.password);
}

async function credentialsFor({ ecr, ecrIn, place, credentials }: PullWorkshop, { registry }: ImageRef) {
  const home = readPrivateEcrHost(registry);
  if (!home) return credentials?.(registry);
  const asked = home.region === place.region ? ecr : (ecrIn?.(home.region) ?? ecr);
  return passwordFrom((await asked.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? "");
}

const OWN_ARCHITECTURE: Readonly<Record<string, string>> = { x64: "linux/amd64", arm64: "linux/arm64" };

function argumentsOf({ target, platforms, build_args: args }: BuildItem, image: string): readonly string[] {
  const [platform = "linux/amd64"] = platforms ?? [];
  return [
    "--tag", image, ...(target ? ["--target", target] : []),
    // Docker's classic builder refuses the option; nobody needs it for the machine's own.
    ...(platform === OWN_ARCHITECTURE[process.arch] ? [] : ["--platform", platform]),
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
  ];
}

/**
 * Layers of the image that is in ECR are taken where their instructions are unchanged, unless the item says `force`: what a RUN
 * fetches may have changed without a word of the Dockerfile. BuildKit reads its own notes in the image; Docker's classic builder
 * has to have the image itself, and leaves the container of a RUN that fails. Podman and Buildah keep to what they have.
 */
async function cacheOf(engine: Engine, image: string, { force = false }: BuildItem): Promise<readonly string[]> {
  const anew = force ? ["--no-cache"] : [];
  if (engine.program !== "docker") return anew;
  const quiet = { ...engine, onLine: () => undefined };
  const from = ["--cache-from", image];
  if ((await execute(quiet, ["buildx", "version"])).code === 0) return [...(force ? anew : from), "--build-arg", "BUILDKIT_INLINE_CACHE=1"];
  const isThere = !force && (await execute(quiet, ["pull", image])).code === 0;
  return ["--force-rm", ...anew, ...(isThere ? from : [])];
}
