import { posix } from "node:path";
import { z } from "zod";
import { DOCKER_HUB, formatImageRef, isDigest, parseImageRef } from "../../kit/image-ref.ts";
import { privateEcrHost } from "../../kit/image-ref-ecr.ts";
import { detectCollisions } from "../../kit/registry-namespaces.ts";
import { parseS3Uri } from "../../kit/s3-uri.ts";
import { parsePlatform } from "../../oci/manifest.ts";
import type { Place } from "../project/deploy-config.ts";
import { InvalidInput } from "./invalid-input.ts";
import { registryOf } from "./registry-of.ts";
import { sourceKey } from "./build/source-folder.ts";
import { buildTarget, type ImagePull, namingOf, planPulls } from "./plan.ts";
import type { BuildItem, ImageOutcome } from "./staging.ts";

/** An item that can be worked on, or one that failed before anything moved. */
export type Planned<Item> = Item | ImageOutcome;

const EXAMPLES = {
  pull: '{"manifest": ["ubuntu:20.04"]}',
  build: '{"manifest": [{"source_uri": "s3://bucket/folder/", "target_image": "name:tag"}]}',
} as const;

/** Reads the input of the puller or the builder; what its items are is for the plans. @throws InvalidInput */
export function readInput(input: unknown, kind: "pull" | "build"): { readonly manifest: readonly unknown[]; readonly referrers: boolean } {
  const { manifest, referrers = false } = (typeof input === "object" && input !== null ? input : {}) as {
    readonly manifest?: unknown;
    readonly referrers?: unknown;
  };
  if (!Array.isArray(manifest)) throw new InvalidInput(`the input has no list "manifest"; write it as ${EXAMPLES[kind]}`);
  if (typeof referrers !== "boolean") throw new InvalidInput(`"referrers" is true or false, not ${JSON.stringify(referrers)}`);
  return { manifest, referrers };
}

/** What an item that is of no use is called in the results. */
const spelled = (item: unknown): string => (typeof item === "string" ? item : JSON.stringify(item));

/**
 * Names a target for each image of the puller's manifest. A name that is none, and images that would share a target,
 * are FAILED; the others go on.
 */
export function planEachPull(
  manifest: readonly unknown[],
  place: Place,
  namespaces: Readonly<Record<string, string>> = {},
): readonly Planned<ImagePull>[] {
  const planned = manifest.map((item, index) =>
    orFailed({ source_uri: spelled(item), target_image: "" }, () => planPulls([imageName(item, index)], place, namespaces)[0]),
  );
  const sources = planned.flatMap((item) => ("source" in item ? [parseImageRef(item.source)] : []));
  const collisions = new Map(
    detectCollisions(sources, namingOf(registryOf(place), namespaces)).flatMap(({ sources: all, message }) =>
      all.map((source) => [formatImageRef(source), message]),
    ),
  );
  return planned.map((item) => {
    const message = "source" in item ? collisions.get(item.source) : undefined;
    return message === undefined ? item : failed(item, message);
  });
}

function imageName(item: unknown, index: number): string {
  if (typeof item === "string") return item;
  const isBuild = typeof item === "object" && item !== null && "target_image" in item;
  throw new Error(
    `item ${index + 1} of the manifest is ${isBuild ? "an image to build: give it to omx-container-builder" : 'no image\'s name: write it as "ubuntu:20.04"'}`,
  );
}

const platform = z.string().refine((text) => isPlatform(text), "a platform looks like linux/amd64");
const args = z.record(z.string(), z.string());

/** One item of the builder's manifest as a caller may write it; the reference's two members are enough. */
const BuildRequest = z.strictObject({
  source_uri: z.string().refine((text) => isS3Uri(text), "the source is s3://bucket/prefix/, or a .zip, .tar.gz or .tgz there"),
  target_image: z.string().min(1),
  dockerfile: z
    .string()
    .min(1)
    .refine(isInside, "the Dockerfile has to lie in the source, and is named by its path there")
    .default("Dockerfile"),
  build_args: args.default({}),
  buildArgs: args.default({}),
  /** The stage to build. */
  target: z.string().min(1).optional(),
  platforms: z
    .array(platform)
    .min(1)
    .default(["linux/amd64"])
    .transform((all) => [...new Set(all)]),
  force: z.boolean().default(false),
  /** Of a lock: an image of these bytes, built from the same source, is not built again. */
  locked_digest: z.string().refine(isDigest, "a digest is sha256: and 64 of 0-9a-f").optional(),
  /** Whose source this is, for the image's labels. */
  source: z.string().optional(),
  commit: z.string().optional(),
});

/**
 * Reads the builder's manifest: targets in full, defaults filled in. An item that is none is FAILED, and so are different
 * builds for one target; the others go on.
 */
export function planEachBuild(manifest: readonly unknown[], place: Place): readonly Planned<BuildItem>[] {
  const planned = manifest.map((item, index) => orFailed(named(item), () => readBuild(buildRequest(item, index), place)));
  const byTarget = Map.groupBy(
    planned.filter((item) => "build_args" in item),
    ({ target_image: target }) => target,
  );
  return planned.map((item) => {
    const others = "build_args" in item ? (byTarget.get(item.target_image) ?? []) : [];
    return new Set(others.map(buildKey)).size < 2
      ? item
      : failed(item, `${others.length} different builds are for ${item.target_image}: give each a target of its own`);
  });
}

/** The same for two items that ask for the same build. */
const buildKey = ({ source_uri, build_args, ...item }: BuildItem): string =>
  JSON.stringify([
    sourceKey(source_uri),
    Object.entries(build_args).sort(([a], [b]) => (a < b ? -1 : 1)),
    Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);

function buildRequest(item: unknown, index: number): object {
  if (typeof item === "object" && item !== null && !Array.isArray(item)) return item;
  throw new Error(
    `item ${index + 1} of the manifest is ${typeof item === "string" ? "an image to pull: give it to omx-container-puller" : `no image to build: write it as ${EXAMPLES.build}`}`,
  );
}

function readBuild(item: object, place: Place): BuildItem {
  const parsed = BuildRequest.safeParse(item);
  if (!parsed.success)
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the item"}: ${message}`).join("; "));
  const { buildArgs, build_args: own, target_image: target, ...rest } = parsed.data;
  const { registry } = parseImageRef(target);
  const home = privateEcrHost(registryOf(place));
  if (registry !== DOCKER_HUB && registry !== home)
    throw new Error(
      `target_image: images are built into ${home}, and ${target} means one of ${registry}; ${target.startsWith(registry) ? `write it without ${registry}` : `write ${home}/${target}`}`,
    );
  return { ...rest, target_image: formatImageRef(buildTarget(target, place)), build_args: { ...own, ...buildArgs } };
}

const named = (item: unknown): Pick<ImageOutcome, "source_uri" | "target_image"> => {
  const { source_uri: source = item, target_image: target = "" } = (typeof item === "object" && item !== null ? item : {}) as {
    readonly source_uri?: unknown;
    readonly target_image?: unknown;
  };
  return { source_uri: spelled(source), target_image: spelled(target) };
};

function orFailed<Item>(of: Pick<ImageOutcome, "source_uri" | "target_image">, plan: () => Item | undefined): Planned<Item> {
  try {
    return plan() ?? failed(of, "it could not be planned");
  } catch (error) {
    return failed(of, (error as Error).message);
  }
}

const failed = ({ source_uri, target_image }: Pick<ImageOutcome, "source_uri" | "target_image">, reason: string): ImageOutcome => ({
  source_uri,
  target_image,
  status: "FAILED",
  reason,
});

/** Of a file outside, an error would tell the lines: of /proc/self/environ, a function's credentials. */
function isInside(path: string): boolean {
  const [first] = posix.normalize(path).split("/");
  return first !== "" && first !== "..";
}

const isS3Uri = (text: string): boolean => succeeds(() => parseS3Uri(text));
const isPlatform = (text: string): boolean => succeeds(() => parsePlatform(text));

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
