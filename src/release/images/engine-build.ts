import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { parseImageRef } from "../../kit/image-ref.ts";
import { privateEcrOf } from "../../kit/image-ref-ecr.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import { SOURCE_LABEL } from "./build.ts";
import { fetchSource } from "./source-folder.ts";
import type { BuildItem } from "./staging.ts";

export interface EngineEnvironment extends ReleaseEnvironment {
  readonly upstreams: Readonly<Record<string, string>>;
  readonly endpoint?: string;
}

/**
 * Builds one image with the engine of a privileged build and pushes it.
 * @param text the builder's item, as JSON
 * @throws Error with the engine's exit status; its output is in the build's log
 */
export async function buildWithEngine({ clients, cicd, emit }: EngineEnvironment, text: string): Promise<void> {
  const item = JSON.parse(text) as BuildItem;
  const folder = await mkdtemp(join(tmpdir(), "omx-engine-"));
  try {
    const hash = await fetchSource(clients.s3, item.source_uri, folder);
    const ecr = privateEcrOf(parseImageRef(item.target_image));
    const token = (await clients.ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData?.[0]?.authorizationToken ?? "";
    const [user = "", password = ""] = Buffer.from(token, "base64").toString("utf8").split(/:(.*)/s);
    await engine(["login", "--username", user, "--password-stdin", `${ecr?.account ?? cicd.account}.dkr.ecr.${ecr?.region ?? cicd.region}.amazonaws.com`], password);
    const args = Object.entries(item.build_args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
    emit({ type: "note", text: `building ${item.target_image} with the engine of this build` });
    await engine(["build", "--file", join(folder, item.dockerfile), "--tag", item.target_image, "--label", `${SOURCE_LABEL}=${hash}`, ...args, folder]);
    await engine(["push", item.target_image]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const engine = (args: readonly string[], input = ""): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: ["pipe", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`docker ${args[0]} ended with exit status ${code}`))));
    child.stdin.end(input);
  });
