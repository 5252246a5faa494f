import { DOCKER_HUB, isHost, registryAt } from "./image-ref-host.ts";
import { InvalidValue } from "./invalid-value.ts";

export { DOCKER_HUB } from "./image-ref-host.ts";

/**
 * The address of a container image, in one spelling for each image: `ubuntu`, `docker.io/ubuntu` and
 * `index.docker.io/library/ubuntu:latest` are equal once parsed. At least one of `tag` and `digest` is there;
 * with both, the digest decides which bytes are meant.
 */
export interface ImageRef {
  /** Host in lower case, with its port where one was written: `quay.io`, `localhost:5000`, `docker.io`. */
  readonly registry: string;
  /** Path in the registry, without a leading slash: `library/ubuntu`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` or `sha512:` and the digits. */
  readonly digest?: string;
}

/**
 * Parses an image address as Docker, Singularity (`docker://`) and the AWS ECR helper (`quay/…`, `ecr-public/…`)
 * write it. A name without tag and digest gets the tag `latest`, a one-word name of Docker Hub `library/`.
 *
 * The grammar is that of distribution/reference (ParseNormalizedNamed, TagNameOnly), but for this:
 * - One registry has one name. All addresses of Docker Hub are `docker.io` (there `index.docker.io` alone), its page
 *   `hub.docker.com/r/…` too; `ecr-public.aws.com` is `public.ecr.aws`; `k8s.gcr.io` is `registry.k8s.io`; `:443` behind
 *   a host name is left out; an IPv6 address is in its short form.
 * - `docker://` may stand in front; `quay/a/b` and `ecr-public/a/b` are the helper's manifests, `quay/a` is a user's.
 * - Refused here and taken there: capitals in a host; ports other than 1 to 65535, or with zeros in front; what is no IPv6
 *   address between brackets; a first word with a dot that is no host (`a_b.example/c`: there a path of no registry);
 *   64 hexadecimal digits as a name of Docker Hub, with or without `library/` and a tag, and `sha256:…` alone, which are
 *   ids; digests other than sha256 and sha512; names over 255 characters, the registry included.
 * @throws InvalidValue with a sentence that says what to write instead
 * @see https://pkg.go.dev/github.com/distribution/reference (grammar)
 */
export function parseImageRef(text: string): ImageRef {
  const address = withoutScheme(text);
  const { name, tag, digest } = splitName(text, address);
  if (name === "") throw invalid(text, "the name of the image is missing");
  const { registry, path } = splitRegistry(text, name);
  const repository = registry === DOCKER_HUB && !path.includes("/") ? `library/${path}` : path;
  checkRepository(text, registry, repository);
  if (registry === DOCKER_HUB && repository === "library/sha256" && /^[0-9a-f]{64}$/.test(tag ?? ""))
    throw invalid(text, "a digest alone names no repository; write name@sha256:…");
  const pinned = digest === undefined ? {} : { digest: checkDigest(text, digest) };
  if (tag === undefined && digest !== undefined) return { registry, repository, ...pinned };
  return { registry, repository, tag: checkTag(text, tag ?? "latest"), ...pinned };
}

/** Prints the address in full; `parseImageRef` reads it back to an equal value. */
export function formatImageRef({ registry, repository, tag, digest }: ImageRef): string {
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** What a registry calls the image inside its repository: the digest where there is one, else the tag. */
export const referenceOf = ({ tag, digest }: Pick<ImageRef, "tag" | "digest">): string => digest ?? tag ?? "latest";

/** The same image by its digest; the tag stays as a remark of where it came from. */
export const pinImageRef = (ref: ImageRef, digest: string): ImageRef => ({ ...ref, digest });

const OTHER_SCHEMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "http:": "write the name of an image in a registry, without http:// and path to a file",
    "https:": "write the name of an image in a registry; a Singularity image file is not a container image",
    "oras:": "a Singularity image in a registry (oras://) is not a container image; write the image it was made of",
    "shub:": "Singularity Hub is not a container registry",
    "library:": "the Singularity library is not a container registry",
    "s3:": "an object in S3 is not a container image",
  }),
);

function withoutScheme(text: string): string {
  const blank = /\s/.exec(text);
  if (blank) throw invalid(text, `it has a blank at position ${blank.index + 1}; write it without`);
  if (text === "") throw invalid(text, "an image looks like quay.io/biocontainers/bwa:0.7.18");
  if (/[${}~]/.test(text)) throw invalid(text, "a variable in it was not replaced by its value");
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(text);
  if (!scheme) return text;
  const [written, name = ""] = scheme;
  if (name === "docker:") return text.slice(written.length);
  if (name.toLowerCase() === "docker:") throw invalid(text, `write docker:// in lower case: docker://${text.slice(written.length)}`);
  throw invalid(text, OTHER_SCHEMES.get(name.toLowerCase()) ?? "of the forms with ://, only docker:// names an image in a registry");
}

interface SplitName {
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

function splitName(text: string, address: string): SplitName {
  const [front = "", digest, ...more] = address.split("@");
  if (more.length > 0) throw invalid(text, "it has more than one @; one digest may follow the name");
  const colon = front.indexOf(":", front.lastIndexOf("/") + 1);
  // "localhost:5000" alone cannot be told from a name with a tag: it is one, as for Docker.
  const tag = colon < 0 ? {} : { tag: front.slice(colon + 1) };
  return { name: colon < 0 ? front : front.slice(0, colon), ...tag, ...(digest === undefined ? {} : { digest }) };
}

/** Prefixes that the AWS ECR helper's manifests use in place of a host. */
const SHORT_PREFIXES: ReadonlyMap<string, string> = new Map([
  ["quay", "quay.io"],
  ["ecr-public", "public.ecr.aws"],
]);

function splitRegistry(text: string, name: string): { readonly registry: string; readonly path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const rest = name.slice(slash + 1);
  if (isHost(first))
    return {
      registry: registryAt(first, { kind: "image", text }),
      path: /^hub\.docker\.com(?::443)?$/.test(first) ? pathOfPage(rest) : rest,
    };
  const short = rest.includes("/") ? SHORT_PREFIXES.get(first) : undefined;
  return short === undefined ? { registry: DOCKER_HUB, path: name } : { registry: short, path: rest };
}

/** The address of Docker Hub's page of an image, as people copy it. */
const pathOfPage = (path: string): string => path.replace(/^r\//, "").replace(/^_\//, "library/");

const PATH_PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const LONGEST_NAME = 255;

function checkRepository(text: string, registry: string, repository: string): void {
  if (repository === "") throw invalid(text, "the name of the image is missing");
  if (/[A-Z]/.test(repository))
    throw invalid(text, `repository names are in lower case; write ${text.replace(/[A-Z][^:@]*/, (name) => name.toLowerCase())}`);
  if (!REPOSITORY.test(repository))
    throw invalid(
      text,
      `"${repository}" is not a repository name: words of a-z and 0-9 with single . _ or - between them, and / between words`,
    );
  if (registry === DOCKER_HUB && /^library\/[0-9a-f]{64}$/.test(repository))
    throw invalid(text, "64 hexadecimal digits are an image's id; write its name");
  if (registry.length + 1 + repository.length > LONGEST_NAME) throw invalid(text, `a name may have ${LONGEST_NAME} characters`);
}

function checkTag(text: string, tag: string): string {
  if (!/^\w[\w.-]{0,127}$/.test(tag))
    throw invalid(text, `"${tag}" is not a tag: up to 128 letters, digits, _ . and -, the first not . or -`);
  return tag;
}

function checkDigest(text: string, digest: string): string {
  if (!isDigest(digest)) throw invalid(text, "a digest is sha256: and 64 of 0-9a-f, or sha512: and 128");
  return digest;
}

/** Whether the text is a digest of one of the two algorithms that OCI registers. */
export const isDigest = (text: string): boolean => /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);

const invalid = (text: string, expected: string): InvalidValue => new InvalidValue("image", text, expected);
