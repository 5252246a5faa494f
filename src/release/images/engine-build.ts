import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { S3Client } from "@aws-sdk/client-s3";
import type { Clock } from "../../kit/clock.ts";
import { formatImageRef, type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import { passwordFrom } from "../../oci/client/credentials.ts";
import { ReleaseError } from "../errors.ts";
import { readBases } from "./bases.ts";
import { engineAddress, type EnginePull, writeEngineDockerfile } from "./engine-bases.ts";
import { labelsOf } from "./labels.ts";
import type { PullWorkshop } from "./pull.ts";
import { fetchSource, hashSource } from "./source-folder.ts";
import type { BuildItem } from "./staging.ts";
import { workshopClient } from "./workshop.ts";

/** A program that runs the RUN lines of a Dockerfile. */
export interface Engine {
  readonly program: "docker" | "podman" | "buildah";
  /** @default - that of this process */
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes, whose last lines an error then repeats. @default - to this process's own */
  readonly onOutput?: (text: string) => void;
}

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
export async function buildWithEngine({ engine, workshop, item, context, work }: EngineBuild): Promise<void> {
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
  await push(workshop.clock, engine, [...plainFlags(engine, asked.slice(-1)), formatImageRef(image)]);
}

const PUSH_AGAIN_AFTER_MS = [2000, 8000, 30_000];
// What the registry has decided: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
const IS_FINAL = /denied|unauthorized|not authorized|immutable|tag invalid|no basic auth/i;

/** A registry may be busy, or away for a moment; what was built takes longer to build again than to push again. */
async function push(clock: Clock, engine: Engine, args: readonly string[]): Promise<void> {
  for (const waitMs of PUSH_AGAIN_AFTER_MS) {
    const { code, tail } = await execute(engine, ["push", ...args]);
    if (code === 0) return;
    if (IS_FINAL.test(tail)) throw failed(engine, "push", { code, tail });
    await clock.sleep(waitMs);
  }
  await run(engine, ["push", ...args]);
}

/** The builder's second way: the source comes from S3. The engine's output is the build's log. */
export async function buildFromS3({ s3, item, workshop }: { readonly s3: S3Client; readonly item: BuildItem; readonly workshop: PullWorkshop }): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "omx-engine-"));
  try {
    const context = join(work, "context");
    await fetchSource(s3, item.source_uri, context);
    await buildWithEngine({ engine: { program: "docker" }, workshop, item, context, work });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
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
  await run(engine, ["login", ...plainFlags(engine, [asked]), "--username", found.username, "--password-stdin", asked.address.registry], found.password);
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
  const quiet = { ...engine, onOutput: () => undefined };
  const from = ["--cache-from", image];
  if ((await execute(quiet, ["buildx", "version"])).code === 0) return [...(force ? anew : from), "--build-arg", "BUILDKIT_INLINE_CACHE=1"];
  const isThere = !force && (await execute(quiet, ["pull", image])).code === 0;
  return ["--force-rm", ...anew, ...(isThere ? from : [])];
}

const LAST_BYTES = 4000;
const lastOf = (output: string): string => output.trim().split("\n").slice(-20).join("\n");

/** How a call of an engine ended: its exit status, and the end of what it said. */
interface Ended {
  readonly code: number | null;
  readonly tail: string;
}

const failed = ({ program, onOutput }: Engine, command: string, { code, tail }: Ended): ReleaseError =>
  new ReleaseError("ImagesFailed", {
    says: `${program} ${command} ended with exit status ${code}${onOutput ? `:\n${lastOf(tail)}` : ""}`, blame: "user",
    fix: command === "build" ? "correct the Dockerfile or its source, and start again" : "look at what the registry says, and start again",
  });

async function run(engine: Engine, args: readonly string[], input = ""): Promise<void> {
  const ended = await execute(engine, args, input);
  if (ended.code !== 0) throw failed(engine, args[0] ?? "", ended);
}

const execute = ({ program, env, onOutput }: Engine, args: readonly string[], input = ""): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], ...(env && { env }) });
    let tail = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        const text = chunk.toString("utf8");
        tail = (tail + text).slice(-LAST_BYTES);
        if (onOutput) onOutput(text);
        else process.stdout.write(text);
      });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, tail }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
