import { noise } from "../../../../oci/testing/sample-images.ts";
import { type Algorithm, digestBy } from "./registry.ts";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [member: string]: unknown;
}

export interface Manifest {
  readonly bytes: Buffer;
  readonly descriptor: Descriptor;
  readonly subject?: string;
}

/** Things that belong together: they are pushed, found, read and deleted. */
export interface DataSet {
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** What is needed comes before what needs it. */
  readonly manifests: readonly Manifest[];
  readonly tags: ReadonlyMap<string, Manifest>;
  /** What must be told of each subject. */
  readonly referrers: ReadonlyMap<string, readonly Descriptor[]>;
  readonly algorithm: Algorithm;
}

export const TYPES = {
  image: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  plainLayer: "application/vnd.oci.image.layer.v1.tar",
  foreign: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  plainForeign: "application/vnd.oci.image.layer.nondistributable.v1.tar",
  empty: "application/vnd.oci.empty.v1+json",
  dockerImage: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

const EXAMPLE = "application/vnd.example.walk.v1";
const PLATFORMS = [
  { os: "linux", architecture: "amd64" },
  { os: "linux", architecture: "arm64" },
];

interface Parts {
  readonly mediaType?: string;
  readonly config?: { readonly mediaType: string; readonly text: string };
  readonly layers?: readonly Descriptor[];
  /** Whether the configuration's descriptor carries its data. */
  readonly isCarrying?: boolean;
  readonly [member: string]: unknown;
}

/** Collects a data set; every content is new, so that data sets share nothing. */
export class Assembly implements DataSet {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests: Manifest[] = [];
  readonly tags = new Map<string, Manifest>();
  readonly referrers = new Map<string, Descriptor[]>();
  readonly algorithm: Algorithm;
  /** What makes its contents its own. */
  readonly seed: string;

  constructor(seed: string, algorithm: Algorithm = "sha256") {
    this.seed = seed;
    this.algorithm = algorithm;
  }

  blob(bytes: Buffer, mediaType: string): Descriptor {
    const digest = digestBy(this.algorithm, bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** A descriptor with the bytes in itself. */
  carrying = (bytes: Buffer, mediaType: string): Descriptor => ({ ...this.blob(bytes, mediaType), data: bytes.toString("base64") });

  layer = (mediaType: string = TYPES.layer): Descriptor => this.blob(noise(`${this.seed} ${this.blobs.size}`, 700), mediaType);

  image({ mediaType = TYPES.image, config, isCarrying = false, layers = [this.layer(), this.layer()], ...more }: Parts = {}): Descriptor {
    const text =
      config?.text ??
      JSON.stringify({ ...PLATFORMS[0], seed: `${this.seed} ${this.manifests.length}`, rootfs: { type: "layers", diff_ids: [] } });
    const described = (isCarrying ? this.carrying : this.blob).call(this, Buffer.from(text), config?.mediaType ?? TYPES.config);
    return this.#add({ schemaVersion: 2, mediaType, config: described, layers, ...more });
  }

  /** What is no image: named by its type, its configuration empty. */
  artifact = ({ artifactType = EXAMPLE, ...more }: Parts = {}): Descriptor =>
    this.image({
      artifactType,
      config: { mediaType: TYPES.empty, text: "{}" },
      layers: [this.layer(artifactType as string)],
      annotations: { "org.example.walk": "hello", [`org.example.${this.manifests.length}`]: this.seed },
      ...more,
    });

  index = (manifests: readonly Descriptor[], { mediaType = TYPES.index, ...more }: Parts = {}): Descriptor =>
    this.#add({
      schemaVersion: 2,
      mediaType,
      manifests: manifests.map((one, index) => ({ ...one, platform: PLATFORMS[index % 2] })),
      ...more,
    });

  #add(document: { readonly mediaType: string; readonly [member: string]: unknown }): Descriptor {
    const bytes = Buffer.from(JSON.stringify(document));
    const descriptor = { mediaType: document.mediaType, digest: digestBy(this.algorithm, bytes), size: bytes.length };
    const {
      subject,
      config,
      artifactType = config?.mediaType,
      annotations,
    } = document as { subject?: Descriptor; config?: Descriptor; artifactType?: string; annotations?: object };
    this.manifests.push({ bytes, descriptor, ...(subject && { subject: subject.digest }) });
    if (subject)
      this.referrers.set(subject.digest, [
        ...(this.referrers.get(subject.digest) ?? []),
        { ...descriptor, ...(artifactType !== undefined && { artifactType }), ...(annotations && { annotations }) },
      ]);
    return descriptor;
  }

  /** Tags the manifest that was added last, or the one given. */
  tag(name: string, { digest } = this.manifests.at(-1)!.descriptor): this {
    this.tags.set(
      name,
      this.manifests.find((one) => one.descriptor.digest === digest)!,
    );
    return this;
  }
}

type Build = (set: Assembly) => unknown;

/** Every kind of thing that the suite pushes, and some that clients push besides; the last manifest is tagged. */
export const DATA_SETS: Readonly<Record<string, Build>> = {
  "an image": (set) => set.image(),
  "an image with uncompressed layers": (set) => set.image({ layers: [set.layer(TYPES.plainLayer), set.layer(TYPES.plainLayer)] }),
  "an image whose manifest has 3.9 MB": (set) =>
    set.image({ annotations: Object.fromEntries(Array.from({ length: 390 }, (_, index) => [`large-${index}`, "A".repeat(10_000)])) }),
  "an image without layers": (set) => set.image({ layers: [] }),
  "an image with members nobody knows": (set) => {
    const config = { mediaType: TYPES.config, text: JSON.stringify({ ...PLATFORMS[0], "org.example.fourth": set.seed }) };
    set.index([set.image({ "org.example.unknown": { a: [1] }, config }), set.image({ "org.example.other": "b" })], {
      "org.example.third": null,
    });
  },
  "images that share a configuration and a layer": (set) => {
    const [config, layer] = [{ mediaType: TYPES.config, text: JSON.stringify({ ...PLATFORMS[0], seed: set.seed }) }, set.layer()];
    set.index([set.image({ config, layers: [layer, set.layer()] }), set.image({ config, layers: [layer, layer] })]);
  },
  "an image whose descriptors carry their data": (set) =>
    set.image({ isCarrying: true, layers: [set.carrying(noise("data in a descriptor", 300), TYPES.layer)] }),
  "an image with layers that lie elsewhere": (set) =>
    set.image({ layers: [foreign(TYPES.foreign), foreign(TYPES.plainForeign), set.layer()] }),
  "an index": (set) => set.index([set.image(), set.image()]),
  "an index of indexes": (set) => set.index([set.index([set.image(), set.image()]), set.index([set.image(), set.image()])]),
  "an index of nothing": (set) => set.index([]),
  "an artifact": (set) => set.artifact(),
  "an artifact without layers": (set) => set.artifact({ layers: [set.blob(Buffer.from("{}"), TYPES.empty)] }),
  "an index of artifacts": (set) => set.index([set.artifact(), set.artifact()], { artifactType: EXAMPLE }),
  "artifacts with a subject": (set) => {
    const subject = set.image();
    set.tag("subject").image({ subject });
    set.artifact({ subject });
    set.tag("first").artifact({ subject, artifactType: "application/vnd.example.walk.v2" });
  },
  "an index with a subject": (set) => {
    const subject = set.index([set.image(), set.image()]);
    set
      .tag("subject")
      .index([set.artifact({ subject }), set.artifact({ subject })], { subject, artifactType: EXAMPLE, annotations: { of: "index" } });
  },
  "an artifact whose subject is missing": (set) =>
    set.artifact({ subject: { mediaType: TYPES.image, digest: digestBy("sha256", "nowhere"), size: 123 } }),
  "a chart, whose types only its client knows": (set) =>
    set.image({
      config: { mediaType: "application/vnd.cncf.helm.config.v1+json", text: '{"name":"chart"}' },
      layers: [set.layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip")],
    }),
  "a list of Docker's own manifests": (set) => {
    const docker = () =>
      set.image({
        mediaType: TYPES.dockerImage,
        config: { mediaType: TYPES.dockerConfig, text: `{"docker":${set.blobs.size}}` },
        layers: [set.layer(TYPES.dockerLayer)],
      });
    set.index([docker(), docker()], { mediaType: TYPES.dockerList });
  },
};

const foreign = (mediaType: string): Descriptor => {
  const digest = digestBy("sha256", `elsewhere ${mediaType}`);
  return { mediaType, digest, size: 12_345, urls: [`https://store.example.com/blobs/${digest}`] };
};

/** The data sets of the table, tagged, and one that is named by SHA-512 alone: a tag would have to say by which algorithm. */
export function dataSet(name: string): DataSet {
  const set = new Assembly(`${name} ${process.pid} ${performance.now()}`);
  DATA_SETS[name]?.(set);
  return set.tag(`walk-${Object.keys(DATA_SETS).indexOf(name)}`);
}

export function sha512Set(): DataSet {
  const set = new Assembly(`sha512 ${process.pid} ${performance.now()}`, "sha512");
  set.index([set.image(), set.image()]);
  return set;
}
