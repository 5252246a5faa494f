import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { formatImageRef, type ImageRef, parseImageRef, pinImageRef } from "../../../kit/image-ref.ts";
import { InvalidValue } from "../../../kit/invalid-value.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import type { ResolveBase } from "../../../oci/image/base-image.ts";
import { type BaseUse, baseUses } from "../../../oci/image/base-names.ts";
import { copiedNames } from "../../../oci/image/copied-names.ts";
import { DockerfileError } from "../../../oci/image/dockerfile.ts";
import { RegistryError } from "../../../oci/errors.ts";
import { parsePlatform } from "../../../oci/manifest.ts";
import { wantedDigest } from "../pull/preview.ts";
import { listSource } from "./source-files.ts";
import type { BuildItem } from "../staging.ts";

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
  // What the files alone tell is told before anybody is asked.
  checkCopied(text, baseOptions(item), { context, called: "the build context" });
  // Each platform may have bases of its own: FROM tools:$TARGETARCH.
  const uses = (item.platforms ?? [DEFAULT_PLATFORM]).flatMap((platform) =>
    baseUses(text, baseOptions(item, platform)).filter(({ isNeeded }) => isNeeded),
  );
  return Promise.all(
    [...new Map(uses.map((use) => [use.image, use])).values()].map(async (use): Promise<PinnedBase> => {
      const at = { file: item.dockerfile, line: use.instruction.line };
      const ref = refOf(use, at);
      return { image: use.image, ref: pinImageRef(ref, await wantedDigest(client.repository(ref), ref).catch(naming(use, at))) };
    }),
  );
}

type Line = ConstructorParameters<typeof DockerfileError>[0];

/** Adds the line to what a registry says. */
const naming =
  ({ image, isStageToCome }: BaseUse, { file, line }: Line) =>
  (error: unknown): never => {
    if (!(error instanceof RegistryError)) throw error;
    const { doing, says } = error.failure;
    const hint =
      isStageToCome && error.kind !== "throttled" ? `; or is the stage ${image} meant, which is not there before line ${line}` : "";
    throw new RegistryError({ ...error.failure, doing: `${doing}, ${file}:${line}`, says: `${says}${hint}`, cause: error });
  };

/** @throws DockerfileError for a COPY or ADD of what is not in the context, as far as it is written without patterns and variables */
export function checkCopied(
  text: string,
  options: ReturnType<typeof baseOptions>,
  { context, called }: { readonly context: string; readonly called: string },
): void {
  const missing = copiedNames(text, options).find(({ name }) => !existsSync(join(context, posix.normalize(`/${name}`))));
  if (missing) throw new DockerfileError({ file: options.file, line: missing.line }, `${missing.name} is not in ${called}`);
}

/** The Dockerfile of a source. @throws DockerfileError where there is none */
export const readDockerfile = (context: string, { dockerfile }: BuildItem): Promise<string> =>
  readFile(join(context, dockerfile), "utf8").catch(async () => {
    const others = (await listSource(context)).flatMap(({ path }) => (posix.basename(path) === posix.basename(dockerfile) ? [path] : []));
    throw new DockerfileError(
      { file: dockerfile, line: 1 },
      `the file does not exist in the build context${others.length > 0 ? `; there is ${others.slice(0, 3).join(", ")}` : ""}`,
    );
  });

/** On which HealthOmics runs tasks. */
export const DEFAULT_PLATFORM = "linux/amd64";

/** How the Dockerfile of an item is read for a platform; the first, where none is named. */
export const baseOptions = (
  { dockerfile, build_args: buildArgs, platforms, target }: BuildItem,
  platform = platforms?.[0] ?? DEFAULT_PLATFORM,
) => ({
  file: dockerfile,
  buildArgs,
  target,
  platform: parsePlatform(platform),
});

/** The image that a Dockerfile names. @throws DockerfileError for what is no image's name */
export function refOf({ image, written }: BaseUse, at: Line): ImageRef {
  try {
    return parseImageRef(image);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    throw new DockerfileError(
      at,
      written === image
        ? error.message
        : `${error.message}; it is written ${written}: give its variables values, by an ARG before the first FROM or an argument of the build`,
    );
  }
}

/** The label of these bases: every one in full, in one order. */
export const formatBases = (bases: readonly PinnedBase[]): string =>
  [...new Set(bases.map(({ ref }) => formatImageRef(ref)))].sort().join(" ");

/** The bases of a label that have another digest now, or were not known then: a sentence, or undefined where all are the same. */
export function movedBases(label: string | undefined, bases: readonly PinnedBase[]): string | undefined {
  if (label === formatBases(bases) || (label === undefined && bases.length === 0)) return undefined;
  const before = new Map((label ?? "").split(" ").map((text) => [text.split("@")[0], text]));
  const moved = bases.flatMap(({ ref }) => {
    const { digest, ...tagged } = ref;
    const was = before.get(formatImageRef(tagged))?.split("@")[1];
    return was === digest
      ? []
      : [`${formatImageRef(tagged)} is ${digest}, ${was === undefined ? "and was not noted" : `and was ${was}`} when the image was built`];
  });
  return moved.length > 0 ? `its base has moved: ${moved.join("; ")}` : "its bases are others";
}

/** Builds on these bases as they were read, whatever their tags mean a moment later. */
export const pinnedResolver = (resolve: ResolveBase, bases: readonly PinnedBase[]): ResolveBase => {
  const known = new Map(bases.map(({ image, ref }) => [formatImageRef(parseImageRef(image)), ref]));
  return (image, platform) => resolve(known.get(formatImageRef(image)) ?? image, platform);
};
