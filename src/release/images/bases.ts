import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { formatImageRef, type ImageRef, parseImageRef, pinImageRef } from "../../kit/image-ref.ts";
import { InvalidValue } from "../../kit/invalid-value.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import type { ResolveBase } from "../../oci/image/base-image.ts";
import { baseUses } from "../../oci/image/base-names.ts";
import { DockerfileError } from "../../oci/image/dockerfile.ts";
import { parsePlatform } from "../../oci/manifest.ts";
import { wantedDigest } from "./preview.ts";
import type { BuildItem } from "./staging.ts";

/** An image that a Dockerfile builds on or copies from. */
export interface PinnedBase {
  /** As the Dockerfile names it, variables filled in. */
  readonly image: string;
  /** The same with the digest that its tag means now. */
  readonly ref: ImageRef;
}

/**
 * What the images that a build comes from are at this moment, by digest: a tag may mean other bytes tomorrow, and then
 * the same source is another image.
 * @throws RegistryError where one cannot be read, DockerfileError
 */
export async function readBases(client: RegistryClient, item: BuildItem, context: string): Promise<readonly PinnedBase[]> {
  const text = await readDockerfile(context, item);
  // Each platform may have bases of its own: FROM tools:$TARGETARCH.
  const uses = (item.platforms ?? [DEFAULT_PLATFORM]).flatMap((platform) => baseUses(text, baseOptions(item, platform)).filter(({ isNeeded }) => isNeeded));
  return Promise.all([...new Map(uses.map((use) => [use.image, use])).values()].map(async ({ image, instruction }): Promise<PinnedBase> => {
    const ref = refOf(image, { file: item.dockerfile, line: instruction.line });
    return { image, ref: pinImageRef(ref, await wantedDigest(client.repository(ref), ref)) };
  }));
}

/** The Dockerfile of a source. @throws DockerfileError where there is none */
export const readDockerfile = (context: string, { dockerfile }: BuildItem): Promise<string> =>
  readFile(join(context, dockerfile), "utf8").catch(() => {
    throw new DockerfileError({ file: dockerfile, line: 1 }, "the file does not exist in the build context");
  });

const DEFAULT_PLATFORM = "linux/amd64";

/** How the Dockerfile of an item is read for a platform; the first, where none is named. */
export const baseOptions = ({ dockerfile, build_args: buildArgs, platforms, target }: BuildItem, platform = platforms?.[0] ?? DEFAULT_PLATFORM) => ({ file: dockerfile, buildArgs, target, platform: parsePlatform(platform) });

function refOf(image: string, at: { readonly file: string; readonly line: number }): ImageRef {
  try {
    return parseImageRef(image);
  } catch (error) {
    if (error instanceof InvalidValue) throw new DockerfileError(at, error.message);
    throw error;
  }
}

/** The label of these bases: every one in full, in one order. */
export const formatBases = (bases: readonly PinnedBase[]): string => [...new Set(bases.map(({ ref }) => formatImageRef(ref)))].sort().join(" ");

/** The bases of a label that have another digest now, or were not known then: a sentence, or undefined where all are the same. */
export function movedBases(label: string | undefined, bases: readonly PinnedBase[]): string | undefined {
  if (label === formatBases(bases) || (label === undefined && bases.length === 0)) return undefined;
  const before = new Map((label ?? "").split(" ").map((text) => [text.split("@")[0], text]));
  const moved = bases.flatMap(({ ref }) => {
    const { digest, ...tagged } = ref;
    const was = before.get(formatImageRef(tagged))?.split("@")[1];
    return was === digest ? [] : [`${formatImageRef(tagged)} is ${digest}, ${was === undefined ? "and was not noted" : `and was ${was}`} when the image was built`];
  });
  return moved.length > 0 ? `its base has moved: ${moved.join("; ")}` : "its bases are others";
}

/** Builds on these bases as they were read, whatever their tags mean a moment later. */
export const pinnedResolver = (resolve: ResolveBase, bases: readonly PinnedBase[]): ResolveBase => {
  const known = new Map(bases.map(({ image, ref }) => [formatImageRef(parseImageRef(image)), ref]));
  return (image, platform) => resolve(known.get(formatImageRef(image)) ?? image, platform);
};
