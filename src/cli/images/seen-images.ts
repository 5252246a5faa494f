import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatImageRef, type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import type { Session } from "../aws/session.ts";
import type { Cli } from "../cli.ts";

/** What was found out not long ago, and need not be asked for again. */
export interface SeenImages {
  /** Whether ECR had the image with all its layers. */
  isWhole(target: ImageRef, digest: string): boolean;
  add(target: string, digest: string): void;
  /** What a tag meant upstream; undefined where nobody has asked in the last five minutes. */
  upstream(source: ImageRef): string | undefined;
  addUpstream(source: ImageRef, digest: string): void;
  /** Keeps what was added for the next call. */
  save(): void;
}

/** Nothing that is in ECR loses layers; but an image may be deleted there, and be on its way again. */
const DAY_MS = 86_400_000;
/** For who calls again at once: one question for each tag, that to ECR, is enough then. */
const UPSTREAM_MS = 300_000;

/** What earlier calls saw, of this account and region: beside the state of the local accounts, else below `~/.cache`. */
export function openSeenImages(
  { settings, clock }: Pick<Cli, "settings" | "clock">,
  { local, place }: Pick<Session, "local" | "place">,
): SeenImages {
  const file = local
    ? join(local.dataDir, "seen-images.json")
    : join(settings.home, ".cache", "omx", `images-${place.account}-${place.region}.json`);
  const now = clock.now().getTime();
  const seen = new Map(Object.entries(read(file)).filter(([, at]) => at > now - DAY_MS && at <= now));
  let isChanged = false;
  const keep = (key: string): void => {
    isChanged = true;
    seen.set(key, now);
  };
  const tagKey = (source: ImageRef): string => `upstream ${formatImageRef(source)} `;
  return {
    isWhole: (target, digest) => seen.has(keyOf(target, digest)),
    add(target, digest) {
      const key = keyOf(parseImageRef(target), digest);
      if (!seen.has(key)) keep(key);
    },
    upstream(source) {
      const start = tagKey(source);
      return [...seen].findLast(([key, at]) => key.startsWith(start) && at > now - UPSTREAM_MS)?.[0].slice(start.length);
    },
    addUpstream(source, digest) {
      const start = tagKey(source);
      for (const key of seen.keys()) if (key.startsWith(start)) seen.delete(key);
      keep(`${start}${digest}`);
    },
    save() {
      if (!isChanged) return;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(seen)));
      renameSync(`${file}.new`, file);
    },
  };
}

const keyOf = ({ registry, repository }: ImageRef, digest: string): string => `${registry}/${repository}@${digest}`;

/** A file that is not there, or that nobody can read, knows nothing: then ECR is asked. */
function read(file: string): Readonly<Record<string, number>> {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>;
    return Object.values(kept).every((at) => typeof at === "number") ? (kept as Readonly<Record<string, number>>) : {};
  } catch {
    return {};
  }
}
