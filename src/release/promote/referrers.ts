import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import { copyReferrersOf, newTransfers } from "../../oci/copy.ts";
import { findReferrers, type Referrer } from "../../oci/copy/referrers.ts";
import { InvalidManifest } from "../../oci/manifest.ts";
import { workshopClient } from "../images/workshop.ts";
import type { ReleasedImages, ReleaseRecord } from "./bundle.ts";
import { workshopIn } from "./own-images.ts";
import type { ProductionEnvironment } from "./production-environment.ts";
import { wayInto } from "./way.ts";

/** Signatures, SBOMs and attestations of a released image, as production has them. */
export interface ImageReferrers {
  /** Where production reads the image. */
  readonly image: string;
  readonly referrers: readonly Pick<Referrer, "digest" | "type" | "subject">[];
  /** Why not all that refers to it in the cicd account is there. */
  readonly problem?: string;
}

/**
 * Brings what refers to a release's images to where production reads these: copied beside its own copies, or, where it
 * reads the cicd account's images, looked at as production reads them. They are no part of what runs, and what can't be
 * had of them is told and fails no release.
 * @param images the release's, as production names them
 * @returns the images that something refers to, and those of which that can't be said
 */
export async function promoteReferrers(
  env: ProductionEnvironment,
  record: ReleaseRecord,
  images: ReleasedImages,
): Promise<readonly ImageReferrers[]> {
  await using client = workshopClient(workshopIn(env));
  const bring = wayInto(env.place, record) === "copy" ? copying(env, client) : looking(client);
  const sources = new Map(images.map((image, index) => [image.target, { image, source: record.images[index]?.target ?? image.target }]));
  const found = await Promise.all(
    [...sources.values()].map(async ({ image: { target, digest }, source }): Promise<ImageReferrers> => {
      try {
        return {
          image: target,
          referrers: (await bring({ source, target, digest })).map(({ digest: own, type, subject }) => ({ digest: own, type, subject })),
        };
      } catch (error) {
        return { image: target, referrers: [], problem: (error as Error).message };
      }
    }),
  );
  const told = found.filter(({ referrers, problem }) => referrers.length > 0 || problem !== undefined);
  for (const one of told) env.emit({ type: "note", text: describe(one) });
  return told;
}

/** What to say of them behind a release's message; empty where there are none. */
export function summarizeReferrers(told: readonly ImageReferrers[]): string {
  const count = told.reduce((sum, { referrers }) => sum + referrers.length, 0);
  const lacking = told.filter(({ problem }) => problem !== undefined);
  return [
    ...(count > 0
      ? [`; with its images ${count === 1 ? "is 1 signature, SBOM or attestation" : `are ${count} signatures, SBOMs and attestations`}`]
      : []),
    ...(lacking.length > 0
      ? [
          `; what refers to ${lacking.length === 1 ? lacking[0]?.image : `${lacking.length} images`} is not all there: ${lacking[0]?.problem}`,
        ]
      : []),
  ].join("");
}

const describe = ({ image, referrers, problem }: ImageReferrers): string =>
  problem === undefined
    ? `${image}: with it ${referrers.length === 1 ? "is" : "are"} ${referrers.map(({ type, digest }) => `${type} ${digest}`).join(", ")}`
    : `${image}: what refers to it is not all there, and the release goes on: ${problem}`;

type Bring = (image: { readonly source: string; readonly target: string; readonly digest: string }) => Promise<readonly Referrer[]>;

function copying({ clock }: ProductionEnvironment, client: RegistryClient): Bring {
  const transfers = newTransfers(clock);
  return ({ source, target, digest }) =>
    copyReferrersOf({ source: parseImageRef(source), target: parseImageRef(target) }, digest, {
      sourceClient: client,
      targetClient: client,
      clock,
      transfers,
    });
}

const looking =
  (client: RegistryClient): Bring =>
  async ({ target, digest }) => {
    const ref = parseImageRef(target);
    const repository = client.repository(ref);
    const found = await findReferrers(repository, digest);
    for (const { digest: referrer, type } of found)
      if (!(await repository.getManifest(referrer)))
        throw new InvalidManifest(`${formatImageRef(ref)} has a referrer ${referrer} (${type}) that is not in its repository`);
    return found;
  };
