import { digestBy } from "./conformance.ts";

/** A manifest that is pushed and deleted, and what it needs. */
export interface Piece {
  readonly text: string;
  readonly digest: string;
  readonly mediaType: string;
  /** Manifests of an index. */
  readonly needs: readonly string[];
  readonly subject?: string;
  readonly artifactType: string;
}

/** What a repository should answer, kept as plainly as it can be: images by digest, and what each tag names. */
export class RepositoryModel {
  readonly images = new Map<string, Piece>();
  readonly tags = new Map<string, string>();

  /** The status of a push. */
  put(piece: Piece, tag?: string): number {
    if (piece.needs.some((digest) => !this.images.has(digest))) return 400;
    this.images.set(piece.digest, piece);
    if (tag !== undefined) this.tags.set(tag, piece.digest);
    return 201;
  }

  /** The status of a deletion by tag; with its last tag the image goes. */
  deleteTag(tag: string): number {
    const digest = this.tags.get(tag);
    if (digest === undefined) return 404;
    const isLast = [...this.tags.values()].filter((one) => one === digest).length === 1;
    if (isLast && this.#isNeeded(digest)) return 405;
    this.tags.delete(tag);
    if (isLast) this.images.delete(digest);
    return 202;
  }

  /** The status of a deletion by digest; all tags go with the image. */
  deleteDigest(digest: string): number {
    if (!this.images.has(digest)) return 404;
    if (this.#isNeeded(digest)) return 405;
    this.images.delete(digest);
    for (const [tag, named] of this.tags) if (named === digest) this.tags.delete(tag);
    return 202;
  }

  tagsAfter(last: string | undefined): readonly string[] {
    return [...this.tags.keys()].toSorted().filter((tag) => last === undefined || tag > last);
  }

  referrers(subject: string, artifactType: string | undefined): readonly string[] {
    return [...this.images.values()]
      .filter((one) => one.subject === subject && (artifactType === undefined || one.artifactType === artifactType))
      .map(({ digest }) => digest)
      .toSorted();
  }

  #isNeeded(digest: string): boolean {
    return [...this.images.values()].some(({ needs }) => needs.includes(digest));
  }
}

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = { mediaType: "application/vnd.example.config", digest: digestBy("sha256", "{}"), size: 2 };

/** Images, indexes of them, an index of indexes and referrers of all; the only blob they need is `{}`. */
export function pieces(): readonly Piece[] {
  const images = ["a", "b", "c", "d"].map((name) => piece({ mediaType: IMAGE, config: CONFIG, layers: [], annotations: { name } }));
  const [a, b, c] = images as [Piece, Piece, Piece];
  const indexes = [[a, b], [b, c], [a]].map((of) => indexOf(of));
  const all = [...images, ...indexes, indexOf(indexes.slice(0, 2))];
  const types = ["application/vnd.example.one", "application/vnd.example.two"];
  const referrers = all.slice(2).map((subject, index) =>
    piece({
      mediaType: IMAGE,
      artifactType: types[index % 2],
      config: CONFIG,
      layers: [],
      subject: described(subject),
      annotations: { of: String(index) },
    }),
  );
  return [...all, ...referrers];
}

const described = ({ mediaType, digest, text }: Piece) => ({ mediaType, digest, size: text.length });
const indexOf = (of: readonly Piece[]): Piece => piece({ mediaType: INDEX, manifests: of.map(described) });

interface Document {
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly manifests?: readonly { readonly digest: string }[];
  readonly subject?: { readonly digest: string };
  readonly [member: string]: unknown;
}

function piece(document: Document): Piece {
  const text = JSON.stringify({ schemaVersion: 2, ...document });
  const { mediaType, artifactType = CONFIG.mediaType, manifests = [], subject } = document;
  return {
    text,
    digest: digestBy("sha256", text),
    mediaType,
    artifactType,
    needs: manifests.map(({ digest }) => digest),
    ...(subject && { subject: subject.digest }),
  };
}
