import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { UsageError } from "../cli.ts";
import { namespace, PROFILE_HELP, upstream } from "../options.ts";

/** What every command of images takes. */
export interface ImagesFlags {
  readonly profile?: string;
  readonly region?: string;
  readonly upstream?: Readonly<Record<string, string>>;
  readonly namespace?: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

/** Adds whose ECR is meant. */
export const identity = (command: Command): Command => command.option("--profile <name>", PROFILE_HELP).option("--region <region>", "the region (default: the profile's)");

/** Adds where upstream registries are, and where their images go. */
export const upstreams = (command: Command): Command =>
  command.option("--upstream <host=url>", "read a registry's images from elsewhere, as in quay.io=http://127.0.0.1:5001; repeatable", upstream)
    .option("--namespace <host=prefix>", "where a registry's images go in ECR, as containers.namespaces of omx.deploy.yaml says: eu.gcr.io=eu-gcr; repeatable", namespace);

/** Images named as arguments and in a file, each once. @throws UsageError */
export function namedImages(named: readonly string[], manifest: string | undefined): readonly string[] {
  return [...new Set([...named, ...(manifest ? readManifest(manifest) : [])])];
}

function readManifest(file: string): readonly string[] {
  const manifest: unknown = (JSON.parse(readFileSync(file, "utf8")) as { readonly manifest?: unknown } | null)?.manifest;
  if (!Array.isArray(manifest) || !manifest.every((image) => typeof image === "string")) throw new UsageError(`${file} is not {"manifest": ["image", …]}`);
  return manifest;
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
