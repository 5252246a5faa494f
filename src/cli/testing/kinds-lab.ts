import { gzipSync } from "node:zlib";
import { startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import { noise } from "../../oci/testing/sample-images.ts";
import { type StaticRegistry, staticRegistry } from "../../oci/testing/static-registry.ts";
import { cliAt } from "./in-process.ts";

/** What `omx images pull --json` prints of an image. */
export interface PulledImage {
  readonly status: string;
  readonly digest?: string;
  readonly reason: string;
}

/** Local accounts, and a registry that stands for quay.io and offers images of whatever kind. */
export interface KindsLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly quay: StaticRegistry;
  /** Options of a command that reads quay.io. */
  readonly at: readonly string[];
  layer(mediaType: string, bytes: Buffer, algorithm?: "sha512"): Descriptor;
  /** A layer of bytes that are the seed's own. */
  gzip(seed: string): Descriptor;
  /** @param about what the configuration says. @default linux/amd64 */
  config(about?: object): Descriptor;
  image(layers: readonly Descriptor[], tag?: string, about?: object): Descriptor;
  index(manifests: readonly object[], tag?: string): Descriptor;
  /** An image with what BuildKit says of how it was made. */
  attested(tag: string): Descriptor;
  /** Runs `omx images pull` for a tag of quay.io/kinds/tool. */
  pull(tag: string, ...flags: readonly string[]): Promise<PulledImage | undefined>;
}

export const ARM = { os: "linux", architecture: "arm64" };
export const AMD = { os: "linux", architecture: "amd64" };

export async function openKindsLab(): Promise<KindsLab> {
  const [accounts, quay] = [await startAccounts(), await staticRegistry()];
  const at = ["--profile", "cicd", "--upstream", `quay.io=${quay.url}`];
  return {
    ...offers(quay),
    accounts,
    quay,
    at,
    async pull(tag, ...flags) {
      using cli = cliAt(accounts);
      const { json } = await cli.run("images", "pull", `quay.io/kinds/tool:${tag}`, ...at, "--json", ...flags);
      return json<{ images: readonly PulledImage[] }>().images[0];
    },
    async [Symbol.asyncDispose]() {
      await quay[Symbol.asyncDispose]();
      await accounts[Symbol.asyncDispose]();
    },
  };
}

function offers(quay: StaticRegistry): Pick<KindsLab, "layer" | "gzip" | "config" | "image" | "index" | "attested"> {
  const layer: KindsLab["layer"] = (mediaType, bytes, algorithm) => ({ mediaType, ...quay.blob(bytes, algorithm) });
  const gzip: KindsLab["gzip"] = (seed) => layer(MEDIA_TYPES.ociLayerGzip, gzipSync(noise(seed, 5000)));
  const config: KindsLab["config"] = (about = AMD) => ({
    mediaType: MEDIA_TYPES.ociConfig,
    ...quay.blob(Buffer.from(JSON.stringify(about))),
  });
  const image: KindsLab["image"] = (layers, tag, about) =>
    quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: config(about), layers }, tag);
  const index: KindsLab["index"] = (manifests, tag) => quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }, tag);
  const attested: KindsLab["attested"] = (tag) => {
    const tool = { ...image([gzip(tag)]), platform: AMD };
    const statement = {
      ...image([gzip(`statement of ${tag}`)], undefined, {}),
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": tool.digest },
    };
    return index([tool, statement], tag);
  };
  return { layer, gzip, config, image, index, attested };
}
