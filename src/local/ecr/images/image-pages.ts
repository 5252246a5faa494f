import type { ImageIdentifier, TagStatus } from "@aws-sdk/client-ecr";
import type { Contents } from "../contents.ts";
import { invalidParameter } from "../errors.ts";
import { type Image, keyOf, type Place } from "../store.ts";

/** Which part of a repository's images is asked for. */
export interface ImageQuery {
  readonly tagStatus?: TagStatus | undefined;
  readonly maxResults?: number | undefined;
  readonly nextToken?: string | undefined;
}

export interface ImagePage<T> {
  readonly items: readonly T[];
  readonly nextToken?: string;
}

const READ_AT_ONCE = 100;

/** Images in order of their digests; reads no more of the repository than the page needs. */
export function pageOfImages<T>(
  contents: Contents,
  place: Place,
  query: ImageQuery & { readonly item: (image: Image, tags: readonly string[]) => T },
): ImagePage<T> {
  const limit = query.maxResults ?? 100;
  const items: { readonly token: string; readonly item: T }[] = [];
  for (const { image, tags } of imagesAfter(contents, place, query)) {
    if (items.length === limit) return { items: items.map(({ item }) => item), nextToken: items.at(-1)?.token ?? "" };
    items.push({ token: tokenOf([image.digest]), item: query.item(image, tags) });
  }
  return { items: items.map(({ item }) => item) };
}

/** An identifier for each tag, and one for each image without any. */
export function pageOfIds(contents: Contents, place: Place, query: ImageQuery): ImagePage<ImageIdentifier> {
  const limit = query.maxResults ?? 100;
  const [, after] = readToken(query.nextToken);
  const items: ImageIdentifier[] = [];
  for (const { image, tags } of imagesAfter(contents, place, query)) {
    const isResumed = readToken(query.nextToken)[0] === image.digest;
    const ids =
      tags.length === 0
        ? [{ imageDigest: image.digest }]
        : tags.filter((tag) => !isResumed || tag > (after ?? "")).map((imageTag) => ({ imageDigest: image.digest, imageTag }));
    for (const id of ids) {
      if (items.length === limit) return { items, nextToken: tokenAfter(items.at(-1)) };
      items.push(id);
    }
  }
  return { items };
}

function* imagesAfter(
  contents: Contents,
  place: Place,
  { tagStatus, nextToken }: ImageQuery,
): Generator<{ readonly image: Image; readonly tags: readonly string[] }> {
  const [digest, tag] = readToken(nextToken);
  // An image whose tags did not all fit in the last page comes again.
  const again = digest !== undefined && tag !== undefined ? contents.image(place, digest) : undefined;
  if (again) yield { image: again, tags: contents.tagsOf(place, again.digest) };
  let after = digest;
  for (;;) {
    const found = contents.store.images.list(keyOf(place), {
      limit: READ_AT_ONCE,
      ...(after !== undefined && { after: [...keyOf(place), after] }),
    });
    for (const { value: image } of found) {
      const tags = contents.tagsOf(place, image.digest);
      if (!tagStatus || tagStatus === "ANY" || (tagStatus === "TAGGED") === tags.length > 0) yield { image, tags };
    }
    if (found.length < READ_AT_ONCE) return;
    after = found.at(-1)?.value.digest;
  }
}

const tokenOf = (position: readonly string[]): string => Buffer.from(JSON.stringify(position)).toString("base64url");
const tokenAfter = (id: ImageIdentifier | undefined): string => tokenOf([id?.imageDigest ?? "", ...(id?.imageTag ? [id.imageTag] : [])]);

/** @throws AwsError InvalidParameterException for a token we never gave */
function readToken(token: string | undefined): readonly (string | undefined)[] {
  if (token === undefined) return [];
  try {
    const position: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (Array.isArray(position) && position.every((part) => typeof part === "string")) return position as string[];
  } catch {
    // Told below, in the same words as for a token of another shape.
  }
  throw invalidParameter("at 'nextToken' failed to satisfy constraint: 'it is not a token of an earlier answer'");
}
