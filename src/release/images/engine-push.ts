import { buffer } from "node:stream/consumers";
import type { Clock } from "../../kit/clock.ts";
import type { Repository } from "../../oci/client/registry-client.ts";
import { readManifest } from "../../oci/manifest.ts";
import { type Engine, execute, failed } from "./engine.ts";
import type { ImageOutcome } from "./staging.ts";

/** What a push moved; nothing where the engine does not say that of every layer. */
export type EnginePushed = Pick<ImageOutcome, "bytes_moved" | "bytes_saved">;

export interface EnginePush {
  readonly engine: Engine;
  readonly clock: Clock;
  /** What the engine calls the image. */
  readonly address: string;
  readonly flags: readonly string[];
  /** The same place as omx reads it. */
  readonly repository: Repository;
  readonly tag: string;
}

const PUSH_AGAIN_AFTER_MS = [2000, 8000, 30_000];
// What the registry has decided: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
const IS_FINAL = /denied|unauthorized|not authorized|immutable|tag invalid|no basic auth/i;

/**
 * Pushes what an engine has built. A registry may be busy, or away for a moment; what was built takes longer to build again
 * than to push again.
 * @throws ReleaseError ImagesFailed with what the registry says
 */
export async function pushWithEngine({ engine, clock, address, flags, repository, tag }: EnginePush): Promise<EnginePushed> {
  for (let tries = 0; ; tries += 1) {
    const { code, lines } = await talkative(engine, [...flags, address]);
    // What an earlier try has sent counts as there.
    if (code === 0) return tries > 0 ? {} : await counted(repository, tag, lines);
    const waitMs = PUSH_AGAIN_AFTER_MS[tries];
    const said = lines.filter((line) => !isDebug(line));
    if (waitMs === undefined || IS_FINAL.test(said.join("\n"))) throw failed(engine, "push", { code, lines: said });
    await clock.sleep(waitMs);
  }
}

/** Podman and Buildah tell only who looks for mistakes which layers they pass over. */
async function talkative(engine: Engine, args: readonly string[]) {
  if (engine.program === "docker") return execute(engine, ["push", ...args]);
  return execute({ ...engine, isShown: (line) => !isDebug(line) }, ["--log-level", "debug", "push", ...args]);
}

const isDebug = (line: string): boolean => /^time="[^"]*" level=(?:debug|info) /.test(line);

/** Docker names a layer by the beginning of its digest, unpacked or packed; the others by the whole of it, unpacked. */
const SENT = /^([0-9a-f]{12}): Pushed$|^Copying blob sha256:([0-9a-f]{64})/;
const PASSED_OVER = /^([0-9a-f]{12}): (?:Layer already exists|Already exists|Mounted from .*)$|Skipping blob sha256:([0-9a-f]{64}) \(already present\)/;

async function counted(repository: Repository, tag: string, lines: readonly string[]): Promise<EnginePushed> {
  const stored = await repository.getManifest(tag);
  const manifest = stored && readManifest(stored.bytes, stored.mediaType);
  if (manifest?.kind !== "image") return {};
  const { rootfs } = JSON.parse((await buffer(repository.blob(manifest.config).read())).toString("utf8")) as { rootfs: { diff_ids: readonly string[] } };
  const [sent, passedOver] = [SENT, PASSED_OVER].map((pattern) => lines.flatMap((line) => pattern.exec(line)?.slice(1).find(Boolean) ?? []));
  let [moved, saved] = [manifest.config.size, 0];
  const layers = new Map(manifest.layers.map(({ digest, size }, index) => [digest, { size, names: [digest, rootfs.diff_ids[index] ?? ""] }]));
  for (const { size, names } of layers.values()) {
    const isNamed = (all: readonly string[] = []) => all.some((start) => names.some((name) => name.startsWith(`sha256:${start}`)));
    if (isNamed(passedOver)) saved += size;
    else if (isNamed(sent)) moved += size;
    else return {};
  }
  return { bytes_moved: moved, bytes_saved: saved };
}
