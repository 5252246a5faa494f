import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ecr } from "../../aws/services/ecr.ts";
import { formatLock, LOCK_FILE, readLock } from "../../release/images/lock/lock-file.ts";
import { planImages } from "../../release/images/plan.ts";
import { type Relocked, relock } from "../../release/images/lock/relock.ts";
import { readCacheRules } from "../../release/images/pull/cache-rules.ts";
import { lookingClient } from "../../release/images/target-client.ts";
import { workshopClient } from "../../release/images/workshop.ts";
import { readProject } from "../../release/project/project.ts";
import { type Choice, openSession } from "../aws/session.ts";
import type { Cli } from "../cli.ts";
import { repositoryAt } from "../definition/named.ts";
import { platformOf } from "./plan.ts";
import { openTicker } from "./progress.ts";
import { workshopOf } from "./workshop.ts";

/** What `omx images lock --json` prints. */
export interface Locking {
  readonly file: string;
  /** Whether the file has changed. */
  readonly written: boolean;
  readonly images: readonly Relocked[];
}

export interface LockRequest {
  /** A workflow's repository. */
  readonly path: string;
  /** Writes nothing. */
  readonly isCheck: boolean;
  readonly upstreams: Readonly<Record<string, string>>;
  readonly namespaces: Readonly<Record<string, string>>;
  /** `linux/amd64`, or `all`. @default - as each image is locked already, all of a new one */
  readonly platform?: string | undefined;
}

/** Writes or compares the lock of a repository. @throws ReleaseError for a repository or lock that can't be read */
export async function lockProject(
  cli: Cli,
  choice: Choice,
  { path: named, isCheck, upstreams, namespaces, platform }: LockRequest,
): Promise<Locking> {
  const path = repositoryAt(named);
  const { inspection, config } = readProject(path);
  const before = readLock(path);
  const session = await openSession(cli, choice, { ecr });
  const plan = planImages(inspection.images, config.images);
  await using _ticker = openTicker(cli, (seconds) => `looking at ${plan.uses.length} images, ${seconds} s`);
  await using asking = workshopClient(workshopOf(cli, session, upstreams));
  const client = lookingClient(asking, { ecr: session.clients.ecr, place: session.place }, await readCacheRules(session.clients.ecr));
  const { lock, images } = await relock({
    root: path,
    plan,
    place: session.place,
    namespaces,
    client,
    before,
    ...(platform === "all" ? { platform } : platform !== undefined && platformOf(platform)),
  });
  const file = join(path, LOCK_FILE);
  // An empty lock would say that the workflow uses no image.
  const isWorthwhile = before !== undefined || lock.images.length > 0 || plan.uses.length === 0;
  const written = !isCheck && isWorthwhile && (before === undefined || formatLock(before) !== formatLock(lock));
  if (written) writeFileSync(file, formatLock(lock));
  return { file, written, images };
}
