import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { registryClient } from "../../../oci/client/registry-client.ts";
import type { Descriptor } from "../../../oci/manifest.ts";
import { noise, pushSample } from "../../../oci/testing/sample-images.ts";
import type { BuildWorkshop } from "../build/build-from-s3.ts";
import { planEachBuild } from "../manifest.ts";
import type { BuildItem } from "../staging.ts";
import { hasty, type ImageLab, openImageLab, PLACE } from "./image-lab.ts";

/** Waiting for images and accounts of a test's own. */
export const PATIENCE_MS = 120_000;

/** Local accounts with a bucket for sources of images, and a registry that stands for quay.io, where their bases are. */
export interface BuildLab extends AsyncDisposable {
  readonly images: ImageLab;
  readonly s3: S3Client;
  workshop(): BuildWorkshop;
  /** Stores a source. @returns the one item of the builder that names it */
  source(name: string, files: Uint8Array, more?: object): Promise<BuildItem>;
  /** The same of a Dockerfile alone. */
  item(name: string, dockerfile: string, more?: object): Promise<BuildItem>;
  /** Pushes a base with the tag `1` to quay.io. */
  push(name: string, seed: string): Promise<Descriptor>;
  /** The same for linux/arm64. */
  pushArm(name: string, seed: string): Promise<Descriptor>;
}

export async function openBuildLab(): Promise<BuildLab> {
  const images = await openImageLab();
  const s3 = new S3Client(images.accounts.config());
  await s3.send(new CreateBucketCommand({ Bucket: "sources" }));
  const source = async (name: string, Body: Uint8Array, more: object = {}): Promise<BuildItem> => {
    await s3.send(new PutObjectCommand({ Bucket: "sources", Key: `${name}.zip`, Body }));
    const [planned] = planEachBuild([{ source_uri: `s3://sources/${name}.zip`, target_image: `${name}:1`, ...more }], PLACE);
    if (!planned || !("build_args" in planned)) throw new Error(planned?.reason);
    return planned;
  };
  return {
    images,
    s3,
    workshop: () => ({ ...images.workshop({ clock: hasty }), s3For: () => Promise.resolve(s3) }),
    source,
    item: (name, dockerfile, more) => source(name, zipSync({ Dockerfile: Buffer.from(dockerfile) }), more),
    push: (name, seed) => images.push(name, noise(seed, 4000)),
    async pushArm(name, seed) {
      await using clients = registryClient();
      return await pushSample(clients.repository({ registry: images.upstream.host, repository: name }), "1", {
        layers: [noise(seed, 4000)],
        platform: { os: "linux", architecture: "arm64" },
      });
    },
    [Symbol.asyncDispose]: () => images[Symbol.asyncDispose](),
  };
}
