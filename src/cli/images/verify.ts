import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { s3For } from "../../aws/bucket-region.ts";
import { ecr } from "../../aws/services/ecr.ts";
import { omics } from "../../aws/services/omics.ts";
import { s3 } from "../../aws/services/s3.ts";
import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { parseS3Uri } from "../../kit/s3-uri.ts";
import { Gate } from "../../oci/client/gate.ts";
import { LOCK_FILE, parseLock } from "../../release/images/lock/lock-file.ts";
import { type ContainersLock, lockedImage } from "../../release/images/lock/lock.ts";
import { type ImageToVerify, type VerifiedImage, verifyImage, type View } from "../../release/images/lock/verify.ts";
import { type BundleImages, productionImages, readBundleImages } from "../../release/images/lock/verify-bundle.ts";
import { planImages } from "../../release/images/plan.ts";
import { inRegistryOf } from "../../release/images/registry-of.ts";
import { readCacheRules } from "../../release/images/pull/cache-rules.ts";
import { wayInto } from "../../release/promote/way.ts";
import { lookingClient } from "../../release/images/target-client.ts";
import { workshopClient } from "../../release/images/workshop.ts";
import type { Place } from "../../release/project/deploy-config.ts";
import { readProject } from "../../release/project/project.ts";
import { parseOmxYaml } from "../../release/project/omx-yaml.ts";
import { type Choice, openSession, type Session } from "../aws/session.ts";
import { type Cli, Problem } from "../cli.ts";
import { type InBoth, type VerifiedReferrer, verifyReferrers } from "./verify-referrers.ts";
import { openTicker } from "./progress.ts";
import { workshopOf } from "./workshop.ts";

/** What `omx images verify --json` prints. */
export interface Verification {
  readonly ok: boolean;
  readonly images: readonly VerifiedImage[];
  /** Signatures, SBOMs and attestations of the images, which production has to have as the cicd account does; empty without a production identity. */
  readonly referrers: readonly VerifiedReferrer[];
  /** What differs between the bundle, the lock and production's workflow version. */
  readonly problems: readonly string[];
}

export interface VerifyRequest {
  /** A repository with a lock, or the lock. */
  readonly path: string | undefined;
  readonly bundle: string | undefined;
  /** A profile of the production account. */
  readonly production: string | undefined;
  readonly deep: boolean;
  /** Says on stderr of each image that it was looked at. @default false: how many were */
  readonly isEachTold?: boolean;
}

/** Proves that the images of a lock or bundle are the same bytes for cicd and for production. @throws Problem where there is no lock */
export async function verifyImages(cli: Cli, choice: Choice, request: VerifyRequest): Promise<Verification> {
  const sessions = await openSessions(cli, choice, request);
  const { lock, produced, problems } = await readClaims(sessions, request);
  const { deep } = request;
  await using cicd = await viewOf(cli, sessions.cicd, "cicd");
  await using production = sessions.production && (await viewOf(cli, sessions.production, "production"));
  await using looking = openLooking(cli, lock.images.length + produced.length, request.isEachTold ?? false);
  const images = await verifyAs(cli, cicd, { images: lock.images, deep, looking });
  const there = production ? await verifyAs(cli, production, { images: produced, deep, looking }) : [];
  const referrers = production ? await verifyAllReferrers(cli, { cicd, production }, { images: inBoth(lock, produced), deep }) : [];
  const isProved = [...images, ...there, ...referrers].every((one) => one.problems.length === 0);
  return { ok: isProved && problems.length === 0, images: [...images, ...there], referrers, problems };
}

type Account = Session<"ecr" | "omics" | "s3">;

interface Sessions {
  readonly cicd: Account;
  /** Where an identity of it is given. */
  readonly production?: Account;
}

async function openSessions(cli: Cli, choice: Choice, { production: profile, bundle }: VerifyRequest): Promise<Sessions> {
  const cicd = await openSession(cli, choice, { ecr, omics, s3 });
  if (profile === undefined) return { cicd };
  const production = await openSession(cli, { profile, ...regionOf(bundle) }, { ecr, omics, s3 });
  refuseSamePlace(production.place, cicd.place, profile);
  return { cicd, production };
}

interface Claims {
  readonly lock: ContainersLock;
  /** What production is said to read; nothing without an identity of it. */
  readonly produced: readonly ImageToVerify[];
  /** In what the documents contradict one another. */
  readonly problems: readonly string[];
}

/** What is to be proved: the images of a repository's lock, or of a bundle's, and of production's workflow version. */
async function readClaims({ cicd, production }: Sessions, { path, bundle: uri }: VerifyRequest): Promise<Claims> {
  const bundle =
    uri === undefined ? undefined : await readBundleImages(await s3For((production ?? cicd).clients, parseS3Uri(uri).bucket), uri);
  const isOfRepository = path !== undefined || !bundle;
  const lock = isOfRepository ? lockAt(path ?? ".") : bundle.lock;
  const released = production && bundle ? await productionImages(production.clients, bundle, lock) : undefined;
  const claimed = production && (released?.images ?? inProduction(lock, { production: production.place, cicd: cicd.place, path }));
  const problems = [
    ...(isOfRepository ? unlocked(path ?? ".", lock) : []),
    ...(bundle?.problems ?? []),
    ...(bundle && path !== undefined ? compared(lock, bundle) : []),
    ...(released?.problems ?? []),
  ];
  return { lock, produced: claimed ?? [], problems };
}

/** What cicd sees proves nothing of production. */
function refuseSamePlace(production: Place, cicd: Place, profile = ""): void {
  if (production.account === cicd.account && production.region === cicd.region)
    throw new Problem(
      `--production ${profile} is an identity of ${cicd.account} in ${cicd.region}, which is the cicd account here`,
      "name a profile of the production account or region",
    );
}

/** A bundle lies in the region where it is released. */
function regionOf(bundle = ""): Pick<Choice, "region"> {
  const [, region] = /^s3:\/\/omx-releases-\d{12}-([a-z0-9-]+)\//.exec(bundle) ?? [];
  return region === undefined ? {} : { region };
}

/** Where production reads the images of a repository: its own copies of them, where omx.yaml or its region asks for those. */
function inProduction(
  { images }: ContainersLock,
  { production, cicd, path = "." }: { readonly production: Place; readonly cicd: Place; readonly path?: string | undefined },
): readonly ImageToVerify[] {
  const file = join(isFolder(path) ? path : dirname(path), "omx.yaml");
  const promote = existsSync(file) ? parseOmxYaml(readFileSync(file, "utf8")).images.promote : "share";
  if (wayInto(production, { promote, cicd }) === "share") return images;
  return images.map((image) => lockedImage({ ...image, target: formatImageRef(inRegistryOf(production, parseImageRef(image.target))) }));
}

const VERIFIED_AT_ONCE = 8;

interface Seen<Image> {
  readonly images: readonly Image[];
  readonly deep: boolean;
}

interface OpenView extends View, AsyncDisposable {}

/** The registry as one identity sees it, closed at the end. */
async function viewOf(cli: Cli, session: Session<"ecr">, name: string): Promise<OpenView> {
  const asking = workshopClient(workshopOf(cli, session, {}));
  const client = lookingClient(asking, { ecr: session.clients.ecr, place: session.place }, await readCacheRules(session.clients.ecr));
  return { name, client, [Symbol.asyncDispose]: () => asking.close() };
}

interface Looking extends AsyncDisposable {
  onDone(found: VerifiedImage): void;
}

function openLooking(cli: Cli, images: number, isEachTold: boolean): Looking {
  let [done, wrong] = [0, 0];
  const ticker = openTicker(
    cli,
    (seconds) => `${done} of ${images} images looked at, ${wrong > 0 ? `${wrong} not as locked, ` : ""}${seconds} s`,
  );
  return {
    onDone({ view, image, problems }) {
      done += 1;
      wrong += problems.length === 0 ? 0 : 1;
      if (isEachTold) cli.say(`  ${problems.length === 0 ? "✓" : "✗"} ${view}: ${image}`);
    },
    [Symbol.asyncDispose]: async () => ticker[Symbol.asyncDispose](),
  };
}

async function verifyAs(
  cli: Cli,
  view: View,
  { images, deep, looking }: Seen<ImageToVerify> & { readonly looking: Looking },
): Promise<readonly VerifiedImage[]> {
  const gate = new Gate(VERIFIED_AT_ONCE, cli.clock);
  const verify = async (image: ImageToVerify): Promise<VerifiedImage> => {
    const found = await verifyImage(view, image, { deep });
    looking.onDone(found);
    return found;
  };
  return Promise.all(images.map((image) => gate.pass(() => verify(image))));
}

/** Of an image that production does not have, or a map that names none, the images' own problems say enough. */
const inBoth = ({ images }: ContainersLock, produced: readonly ImageToVerify[]): readonly InBoth[] =>
  images.flatMap((cicd) => produced.filter(({ image }) => image === cicd.image).map((production) => ({ cicd, production })));

async function verifyAllReferrers(
  cli: Cli,
  views: { readonly cicd: View; readonly production: View },
  { images, deep }: Seen<InBoth>,
): Promise<readonly VerifiedReferrer[]> {
  const gate = new Gate(VERIFIED_AT_ONCE, cli.clock);
  return (await Promise.all(images.map((image) => gate.pass(() => verifyReferrers(views, image, deep))))).flat();
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

function lockAt(path: string): ContainersLock {
  const file = isFolder(path) ? join(path, LOCK_FILE) : path;
  if (!existsSync(file)) throw new Problem(`${file} does not exist`, "write it with `omx images lock`, or name a bundle with --bundle");
  return parseLock(readFileSync(file, "utf8"), file);
}

/** Images of a workflow that its lock says nothing of: a release brings them by their tag. */
function unlocked(path: string, lock: ContainersLock): readonly string[] {
  if (!existsSync(join(path, "omx.yaml"))) return [];
  const { inspection, config } = readProject(path);
  const named = new Set(lock.images.map(({ image }) => image));
  const missing = planImages(inspection.images, config.images).uses.filter(({ image }) => !named.has(image));
  return missing.map(({ image }) => `the lock: ${image} is used and not in it; write it with \`omx images lock\``);
}

/** The repository's lock beside the one that was released. */
function compared(lock: ContainersLock, { lock: released }: BundleImages): readonly string[] {
  const there = new Map(released.images.map(({ image, digest }) => [image, digest]));
  const named = new Set(lock.images.map(({ image }) => image));
  return [
    ...lock.images.flatMap(({ image, digest }) =>
      there.get(image) === digest ? [] : [`the bundle: ${image} is ${there.get(image) ?? "not in it"}, the lock says ${digest}`],
    ),
    ...released.images.flatMap(({ image }) => (named.has(image) ? [] : [`the bundle: ${image} is in it, and not in the lock`])),
  ];
}
