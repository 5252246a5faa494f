import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cli } from "../cli.ts";

/** Where the demo's public image comes from. */
export interface Upstream {
  readonly kind: "mirror" | "public" | "offline";
  readonly url: string;
}

/** The registry of the example's public image. */
export const PUBLIC_REGISTRY = "public.ecr.aws";

/** What the offline upstream offers, each the same image of this machine's programs: the example's image and that of the workflow `omx init` writes. */
export const OFFLINE_IMAGES = [
  { repository: "docker/library/python", tag: "3.12-slim-bookworm" },
  { repository: "docker/library/debian", tag: "12-slim" },
] as const;

const PATIENCE_MS = 3000;

/**
 * A mirror where one is configured; the public registry where it answers within three seconds; else an upstream of our
 * own on loopback with an image of this machine's programs ({@link OFFLINE_IMAGES}).
 */
export async function chooseUpstream(cli: Cli, dataDir: string, mirror: string | undefined): Promise<Upstream> {
  if (mirror) return { kind: "mirror", url: mirror };
  if (await answers(`https://${PUBLIC_REGISTRY}/v2/`)) return { kind: "public", url: `https://${PUBLIC_REGISTRY}` };
  return { kind: "offline", url: await offlineUpstream(cli, dataDir) };
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), method: "HEAD" }).then(
    (response) => response.status < 500,
    () => false,
  );

/** Starts the offline upstream as a process of its own, which ends when the local accounts do. */
async function offlineUpstream(cli: Cli, dataDir: string): Promise<string> {
  const mark = join(dataDir, "upstream.json");
  const known = readMark(mark);
  if (known && (await answers(`${known}/v2/`))) return known;
  rmSync(mark, { force: true });
  const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "offline-upstream.ts" : "offline-upstream.js", import.meta.url));
  const port = known ? new URL(known).port : "0";
  spawn(process.execPath, ["--no-warnings", main, dataDir, port], {
    detached: true,
    stdio: "ignore",
    env: { PATH: cli.settings.path },
  }).unref();
  for (let waited = 0; waited < 60_000; waited += 50) {
    const url = readMark(mark);
    if (url) return url;
    await cli.clock.sleep(50);
  }
  throw new Error("the offline upstream did not start within a minute; it needs Linux with bash and python3");
}

function readMark(file: string): string | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { url: string }).url : undefined;
}
