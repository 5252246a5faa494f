import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { S3Client } from "@aws-sdk/client-s3";
import { labelsOf } from "./labels.ts";
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
}

/**
 * Builds one image with an engine and pushes it.
 * @throws Error with the engine's last lines and its exit status
 */
export async function buildWithEngine({ engine, ecr, item, context, image = item.target_image }: EngineBuild): Promise<void> {
  const registry = image.slice(0, image.indexOf("/"));
  const token = (await ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? "";
  const [user = "", password = ""] = Buffer.from(token, "base64").toString("utf8").split(/:(.*)/s);
  // Podman and Buildah ask for HTTPS on loopback too.
  const plain = engine.program !== "docker" && /^(?:localhost|127\.)/.test(registry) ? ["--tls-verify=false"] : [];
  await run(engine, ["login", ...plain, "--username", user, "--password-stdin", registry], password);
  await run(engine, ["build", ...argumentsOf(engine, { item, context, image }), ...labels(item, await hashSource(context, item)), context]);
  await run(engine, ["push", ...plain, image]);
}

/** The builder's second way: the source comes from S3. The engine's output is the build's log. */
export async function buildFromS3({ s3, ecr, item }: { readonly s3: S3Client; readonly ecr: ECRClient; readonly item: BuildItem }): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), "omx-engine-"));
  try {
    await fetchSource(s3, item.source_uri, context);
    await buildWithEngine({ engine: { program: "docker" }, ecr, item, context });
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
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${program} ${args[0]} ended with exit status ${code}:\n${tail.trim().split("\n").slice(-20).join("\n")}`))));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
