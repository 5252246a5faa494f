import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { S3Client } from "@aws-sdk/client-s3";
import { parseImageRef } from "../../kit/image-ref.ts";
import { baseNames } from "../../oci/image/base-names.ts";
import { parsePlatform } from "../../oci/manifest.ts";
import { ReleaseError } from "../errors.ts";
import { labelsOf } from "./labels.ts";
import { planPulls } from "./plan.ts";
import { pullImage, type PullWorkshop } from "./pull.ts";
import { fetchSource, hashSource } from "./source-folder.ts";
import type { BuildItem } from "./staging.ts";

/** A program that runs the RUN lines of a Dockerfile. */
export interface Engine {
  readonly program: "docker" | "podman" | "buildah";
  /** @default - that of this process */
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes. @default - to this process's own */
  readonly onOutput?: (text: string) => void;
}

export interface EngineBuild {
  readonly engine: Engine;
  readonly ecr: ECRClient;
  readonly item: BuildItem;
  /** The source. */
  readonly context: string;
  /** The image as the engine has to call it, where its registry has another address for it. @default item.target_image */
  readonly image?: string;
  /** Has bases whose registry is read somewhere else brought into ECR first: an engine knows of no mirror. @default - the engine pulls all bases itself */
  readonly bases?: PullWorkshop;
}

/**
 * Builds one image with an engine and pushes it.
 * @throws ReleaseError ImagesFailed with the engine's last lines and its exit status
 */
export async function buildWithEngine({ engine, ecr, item, context, image = item.target_image, bases }: EngineBuild): Promise<void> {
  const registry = image.slice(0, image.indexOf("/"));
  const token = (await ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? "";
  const [user = "", password = ""] = Buffer.from(token, "base64").toString("utf8").split(/:(.*)/s);
  // Podman and Buildah ask for HTTPS on loopback too.
  const plain = engine.program !== "docker" && /^(?:localhost|127\.)/.test(registry) ? ["--tls-verify=false"] : [];
  await run(engine, ["login", ...plain, "--username", user, "--password-stdin", registry], password);
  if (bases) await bringBases(engine, bases, { item, context });
  await run(engine, ["build", ...argumentsOf(engine, { item, context, image }), ...labels(item, await hashSource(context, item)), context]);
  await run(engine, ["push", ...plain, image]);
}

/** Bases whose registry is read somewhere else, under the names by which the Dockerfile knows them. */
async function bringBases(engine: Engine, workshop: PullWorkshop, { item, context }: Pick<EngineBuild, "item" | "context">): Promise<void> {
  const [platform = "linux/amd64"] = item.platforms ?? [];
  const names = baseNames(await readFile(join(context, item.dockerfile), "utf8"), { file: item.dockerfile, buildArgs: item.build_args, platform: parsePlatform(platform) });
  for (const pull of planPulls(names.filter((name) => parseImageRef(name).registry in workshop.upstreams), workshop.place)) {
    const { status, reason } = await pullImage(workshop, pull);
    if (status !== "SUCCEEDED" && status !== "SKIPPED") throw failed(`the base ${pull.source_uri} could not be brought into ECR: ${reason ?? status}`);
    await run(engine, ["pull", pull.target_image]);
    await run(engine, ["tag", pull.target_image, pull.source_uri]);
  }
}

/** The builder's second way: the source comes from S3. The engine's output is the build's log. */
export async function buildFromS3({ s3, item, workshop }: { readonly s3: S3Client; readonly item: BuildItem; readonly workshop: PullWorkshop }): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), "omx-engine-"));
  try {
    await fetchSource(s3, item.source_uri, context);
    await buildWithEngine({ engine: { program: "docker" }, ecr: workshop.ecr, item, context, bases: workshop });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

const labels = (item: BuildItem, hash: string): readonly string[] => Object.entries(labelsOf(item, hash)).flatMap(([name, value]) => ["--label", `${name}=${value}`]);

const OWN_ARCHITECTURE: Readonly<Record<string, string>> = { x64: "linux/amd64", arm64: "linux/arm64" };

function argumentsOf({ program }: Engine, { item, context, image }: { readonly item: BuildItem; readonly context: string; readonly image: string }): readonly string[] {
  const [platform = "linux/amd64"] = item.platforms ?? [];
  return [
    "--file", join(context, item.dockerfile), "--tag", image, ...(item.target ? ["--target", item.target] : []),
    // Docker's classic builder refuses the option; nobody needs it for the machine's own.
    ...(platform === OWN_ARCHITECTURE[process.arch] ? [] : ["--platform", platform]),
    ...Object.entries(item.build_args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    // Layers of the image that is there are taken where their instructions are unchanged.
    ...(program === "docker" ? ["--cache-from", image, "--build-arg", "BUILDKIT_INLINE_CACHE=1"] : []),
  ];
}

const failed = (says: string): ReleaseError => new ReleaseError("ImagesFailed", { says, fix: "correct the Dockerfile or its source, and start again", blame: "user" });

const LAST_BYTES = 4000;

const run = ({ program, env, onOutput }: Engine, args: readonly string[], input = ""): Promise<void> =>
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
    child.on("close", (code) => (code === 0 ? resolve() : reject(failed(`${program} ${args[0]} ended with exit status ${code}:\n${tail.trim().split("\n").slice(-20).join("\n")}`))));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
