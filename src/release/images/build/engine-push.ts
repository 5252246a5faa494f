import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Clock } from "../../../kit/clock.ts";
import type { Repository } from "../../../oci/client/registry-client.ts";
import { readManifest } from "../../../oci/manifest.ts";
import { type Engine, execute, failed, run } from "./engine.ts";
import type { ImageOutcome } from "../staging.ts";

/** Which image a push left in the registry, where the engine says that, and what it moved, where it says that of every layer. */
export type EnginePushed = Pick<ImageOutcome, "digest" | "bytes_moved" | "bytes_saved">;

export interface EnginePush {
  readonly engine: Engine;
  readonly clock: Clock;
  /** What the engine calls the image. */
  readonly id: string;
  /** Where it goes. */
  readonly address: string;
  readonly flags: readonly string[];
  /** The same place as omx reads it. */
  readonly repository: Repository;
  readonly tag: string;
  /** For notes of the engine; the caller removes it. */
  readonly work: string;
}

const PUSH_AGAIN_AFTER_MS = [2000, 8000, 30_000];
// What the registry has decided: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
const IS_FINAL = /denied|unauthorized|not authorized|immutable|tag invalid|no basic auth/i;

/**
 * Pushes what an engine has built. A registry may be busy, or away for a moment; what was built takes longer to build again
 * than to push again. Docker pushes whatever has the name, and another build may have taken that meanwhile: then it is named and
 * pushed again.
 * @throws ReleaseError ImagesFailed with what the registry says
 */
export async function pushWithEngine(push: EnginePush): Promise<EnginePushed> {
  for (let tries = 0; ; tries += 1) {
    const { code, lines, digest } = await pushOnce(push);
    const isOwn = code === 0 && (digest === undefined || (await isImage(push, digest)));
    // What an earlier try has sent counts as there.
    if (isOwn) return { ...(digest && { digest }), ...(tries > 0 ? {} : await counted(push.repository, digest ?? push.tag, lines)) };
    const waitMs = PUSH_AGAIN_AFTER_MS[tries];
    const said = lines.filter((line) => !isDebug(line));
    if (waitMs === undefined || IS_FINAL.test(said.join("\n"))) throw failed(push.engine, "push", { code, lines: said });
    await push.clock.sleep(waitMs);
  }
}

interface PushedOnce {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly digest: string | undefined;
}

/** Podman and Buildah push an image whatever its name, and tell only who looks for mistakes which layers they pass over. */
async function pushOnce({ engine, id, address, flags, work }: EnginePush): Promise<PushedOnce> {
  if (engine.program === "docker") {
    await run({ ...engine, onLine: () => undefined }, ["tag", id, address]);
    const ended = await execute(engine, ["push", ...flags, address]);
    return { ...ended, digest: ended.lines.map((line) => /^\S+: digest: (sha256:[0-9a-f]{64}) size: /.exec(line)?.[1]).findLast(Boolean) };
  }
  const noted = join(work, "pushed-digest");
  const ended = await execute({ ...engine, isShown: (line) => !isDebug(line) }, [
    "--log-level",
    "debug",
    "push",
    ...flags,
    "--digestfile",
    noted,
    id,
    `docker://${address}`,
  ]);
  return { ...ended, digest: ended.code === 0 ? (await readFile(noted, "utf8")).trim() : undefined };
}

/** Whether that manifest is of this image: engines call an image by the digest of its configuration, or of its manifest. */
async function isImage({ engine, repository, id }: EnginePush, digest: string): Promise<boolean> {
  if (engine.program !== "docker" || digest === id) return true;
  const stored = await repository.getManifest(digest);
  const manifest = stored && readManifest(stored.bytes, stored.mediaType);
  // Of an index only the engine knows what it calls it.
  return manifest?.kind !== "image" || manifest.config.digest === id;
}

const isDebug = (line: string): boolean => /^time="[^"]*" level=(?:debug|info) /.test(line);

/** Docker names a layer by the beginning of its digest, unpacked or packed; the others by the whole of it, unpacked. */
const SENT = /^([0-9a-f]{12}): Pushed$|^Copying blob sha256:([0-9a-f]{64})/;
const PASSED_OVER =
  /^([0-9a-f]{12}): (?:Layer already exists|Already exists|Mounted from .*)$|Skipping blob sha256:([0-9a-f]{64}) \(already present\)/;

async function counted(repository: Repository, reference: string, lines: readonly string[]): Promise<Omit<EnginePushed, "digest">> {
  const stored = await repository.getManifest(reference);
  const manifest = stored && readManifest(stored.bytes, stored.mediaType);
  if (manifest?.kind !== "image") return {};
  const { rootfs } = JSON.parse((await buffer(repository.blob(manifest.config).read())).toString("utf8")) as {
    rootfs: { diff_ids: readonly string[] };
  };
  const [sent, passedOver] = [SENT, PASSED_OVER].map((pattern) =>
    lines.flatMap((line) => pattern.exec(line)?.slice(1).find(Boolean) ?? []),
  );
  let [moved, saved] = [manifest.config.size, 0];
  const layers = new Map(
    manifest.layers.map(({ digest, size }, index) => [digest, { size, names: [digest, rootfs.diff_ids[index] ?? ""] }]),
  );
  for (const { size, names } of layers.values()) {
    const isNamed = (all: readonly string[] = []) => all.some((start) => names.some((name) => name.startsWith(`sha256:${start}`)));
    if (isNamed(passedOver)) saved += size;
    else if (isNamed(sent)) moved += size;
    else return {};
  }
  return { bytes_moved: moved, bytes_saved: saved };
}
