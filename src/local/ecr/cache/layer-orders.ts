import type { ProxySettings } from "../../../kit/proxy.ts";
import type { Credentials } from "../../../oci/client/credentials.ts";
import type { Descriptor } from "../../../oci/manifest.ts";
import { RegistryError, type RegistryFailure } from "../../../oci/errors.ts";
import { DiskFull } from "../../storage/disk-full.ts";

/** A puller waits meanwhile: three tries, not the seven of a copy. */
export const UPSTREAM_ATTEMPTS = 3;

/** A layer that a thread is to bring from upstream into a file. */
export interface LayerOrder {
  /** Who asks with the same one shares connections and tokens. */
  readonly client: string;
  /** Registries that are read somewhere else, as `transportFor` takes them. */
  readonly upstreams: Readonly<Record<string, string>>;
  readonly proxy?: ProxySettings;
  readonly credentials?: Credentials;
  readonly registry: string;
  readonly repository: string;
  readonly blob: Pick<Descriptor, "digest" | "size">;
  readonly file: string;
}

/** What a thread is told. */
export type ToThread = { readonly id: number; readonly order: LayerOrder } | { readonly id: number; readonly cancelled: true };

/** What a thread tells: bytes that are in the file, and how it ended. */
export type FromThread =
  | { readonly id: number; readonly written: number }
  | { readonly id: number; readonly sha256: string }
  | { readonly id: number; readonly failed: Failure };

/** An error on its way between threads, which keeps no class. */
export type Failure =
  | { readonly kind: "registry"; readonly of: RegistryFailure }
  | { readonly kind: "disk-full"; readonly says: string }
  | { readonly kind: "other"; readonly says: string };

/** An error, to be sent. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RegistryError) return { kind: "registry", of: error.failure };
  const says = error instanceof Error ? error.message : String(error);
  return error instanceof DiskFull ? { kind: "disk-full", says } : { kind: "other", says };
}

/** The error that was sent. */
export function errorOf(failure: Failure): Error {
  if (failure.kind === "registry") return new RegistryError(failure.of);
  return failure.kind === "disk-full" ? new DiskFull(failure.says) : new Error(failure.says);
}
