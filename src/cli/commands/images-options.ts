import type { Command } from "commander";
import { UsageError } from "../cli.ts";
import { textOf } from "../definition/named.ts";
import { namespace, PROFILE_HELP, region, upstream } from "../options.ts";

/** What every command of images takes. */
export interface ImagesFlags {
  readonly profile?: string;
  readonly region?: string;
  readonly upstream?: Readonly<Record<string, string>>;
  readonly namespace?: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

/** Adds whose ECR is meant. */
export const identity = (command: Command): Command =>
  command.option("--profile <name>", PROFILE_HELP).option("--region <region>", "the region (default: the profile's)", region);

/** Adds where upstream registries are, and where their images go. */
export const upstreams = (command: Command): Command =>
  command
    .option("--upstream <host=url>", "read a registry's images from elsewhere, as in quay.io=http://127.0.0.1:5001; repeatable", upstream)
    .option(
      "--namespace <host=prefix>",
      "where a registry's images go in ECR, as containers.namespaces of omx.deploy.yaml says: eu.gcr.io=eu-gcr; repeatable",
      namespace,
    );

/** Adds how repositories are made. */
export const newRepositories = (command: Command): Command =>
  command
    .option(
      "--kms-key <arn>",
      "what encrypts repositories that are made, a key of their account and region, as containers.repositories.kmsKeys of omx.deploy.yaml says (default: ECR's own)",
    )
    .option("--immutable-tags", "let no tag of repositories that are made move, as containers.repositories.immutableTags says");

export interface NamedImages {
  readonly images: readonly string[];
  /** Whether the manifest asks for what refers to its images, too. */
  readonly referrers: boolean;
}

/**
 * Images named as arguments and in a file, the puller's input, each once. A file without any is one with nothing to do.
 * @throws UsageError for a file that is no manifest
 */
export function namedImages(named: readonly string[], file: string | undefined): NamedImages {
  const { images, referrers } = file === undefined ? { images: [], referrers: false } : readManifest(file);
  return { images: [...new Set([...named, ...images])], referrers };
}

function readManifest(file: string): NamedImages {
  const { manifest, referrers = false } = (readJson(file) ?? {}) as { readonly manifest?: unknown; readonly referrers?: unknown };
  if (!Array.isArray(manifest)) throw new UsageError(`${file} is not {"manifest": ["image", …]}`);
  const odd = manifest.findIndex((image) => typeof image !== "string");
  if (odd >= 0) throw new UsageError(`${file} is not {"manifest": ["image", …]}: item ${odd + 1} is ${JSON.stringify(manifest[odd])}`);
  if (typeof referrers !== "boolean") throw new UsageError(`${file}: "referrers" is true or false, not ${JSON.stringify(referrers)}`);
  return { images: manifest as readonly string[], referrers };
}

function readJson(file: string): unknown {
  const text = textOf(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`);
  }
}

/** Where an image is or goes, by its digest. */
export const pinned = (target: string, digest: string | undefined): string =>
  digest === undefined || target.includes("@") ? target : `${target}@${digest}`;

/** `1 image`, `2 images`. */
export const counted = (images: number): string => `${images} image${images === 1 ? "" : "s"}`;
