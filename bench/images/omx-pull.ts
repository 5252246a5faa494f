import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { SampleImage } from "./sample-set.ts";
import { OMX, peakMbOf, PROFILE } from "./targets.ts";
import type { Target } from "./targets.ts";

/** The registry that the upstream stands for, and where omx puts what comes from there. */
export const UPSTREAM_NAME = "quay.io";
export const repositoryOf = ({ repository }: Pick<SampleImage, "repository">): string => `quay/${repository}`;

export interface Pull {
  /** Where omx reads the upstream registry. @default - it does not: ECR's pull-through cache does */
  readonly upstreamUrl?: string | undefined;
  readonly images: readonly SampleImage[];
  readonly target: Pick<Target, "configFile" | "dockerConfig">;
  /** Whether each image is named with its digest. */
  readonly isPinned?: boolean;
}

export interface Pulled {
  readonly results: readonly { readonly source: string; readonly status: string; readonly reason: string }[];
  readonly requests: number;
  /** With the start of the program. */
  readonly seconds: number;
  readonly peakMb: number;
}

/** `omx images pull` as a user calls it. */
export async function omxPull({ upstreamUrl, images, target, isPinned }: Pull): Promise<Pulled> {
  const manifest = join(target.dockerConfig, "manifest.json");
  const names = images.map(({ repository, tag, digest }) => `${UPSTREAM_NAME}/${repository}:${tag}${isPinned ? `@${digest}` : ""}`);
  await writeFile(manifest, JSON.stringify({ manifest: names }));
  const flags = ["--profile", PROFILE, ...(upstreamUrl === undefined ? [] : ["--upstream", `${UPSTREAM_NAME}=${upstreamUrl}`]), "--json"];
  const startedAt = performance.now();
  const program = spawn(process.execPath, [OMX, "images", "pull", "--manifest", manifest, ...flags], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, AWS_CONFIG_FILE: target.configFile },
  });
  const peak = watchedPeak(program);
  const { images: results, requests } = (await json(program.stdout)) as { images: Pulled["results"]; requests: number };
  if (program.exitCode === null) await once(program, "close");
  return { results, requests, seconds: (performance.now() - startedAt) / 1000, peakMb: peak() };
}

/** The most memory of what a program starts, looked at again and again: once it has ended nobody knows. */
function watchedPeak(program: ChildProcess): () => number {
  let peak = 0;
  const look = async () => {
    const children = await readFile(`/proc/${program.pid}/task/${program.pid}/children`, "utf8").catch(() => "");
    for (const pid of children.split(" ").filter(Boolean)) peak = Math.max(peak, (await peakMbOf(Number(pid)).catch(() => 0)) || 0);
  };
  const looking = setInterval(() => void look(), 20);
  program.once("close", () => clearInterval(looking));
  return () => peak;
}
