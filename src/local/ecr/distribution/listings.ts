import type { WireResponse } from "../../gateway/service.ts";
import { authorize, authorizeAlone, checkDigest } from "./registry-access.ts";
import { RegistryRefusal } from "./refusals.ts";
import { type Exchange, placeOf, type RegistryPath, registryOfHost } from "./registry-path.ts";
import { type Image, keyOf } from "../store.ts";

const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): WireResponse => ({
  status: 200,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

/** Tags in order, in pages of `n`. */
export function listTags({ contents, caller, place, pathName, request }: Exchange): WireResponse {
  authorize({ contents, caller, place }, "ListImages");
  const page = askedPage(request);
  const found = contents.store.imageTags.list(keyOf(place), {
    limit: page.limit + 1,
    ...(page.last !== undefined && { after: [...keyOf(place), page.last] }),
  });
  const { names, headers } = paged(
    `/v2/${pathName}/tags/list`,
    found.map(({ key }) => key[3] ?? ""),
    page.limit,
  );
  return json({ name: pathName, tags: names }, headers);
}

/**
 * Repositories by name: of the registry whose Host header it is, else those of the caller's account in all regions, as
 * they are addressed here.
 */
export function listRepositories({ contents, caller, request }: Omit<Exchange, keyof RegistryPath>): WireResponse {
  const page = askedPage(request);
  const registry = registryOfHost(request);
  const own = "account" in caller ? [caller.account] : [];
  const within = registry ? [registry.account, registry.region] : own;
  if (within.length === 0) return json({ repositories: [] });
  const last = page.last === undefined ? undefined : placeOf(page.last, request);
  const after = last && keyOf(last);
  const found = contents.store.repositories.list(within, { limit: page.limit + 1, ...(after && { after }) }).map(({ value }) => value);
  const registries = registry ? [registry] : [...new Map(found.map((one) => [one.region, one])).values()];
  for (const { account, region } of registries)
    authorizeAlone({ contents, caller, place: { account, region, name: "*" } }, "DescribeRepositories");
  const { names, headers } = paged(
    "/v2/_catalog",
    found.map((one) => (registry ? one.name : keyOf(one).join("/"))),
    page.limit,
  );
  return json({ repositories: names }, headers);
}

interface Page {
  readonly limit: number;
  /** The last name of the page before. */
  readonly last: string | undefined;
}

/** @throws RegistryRefusal PAGINATION_NUMBER_INVALID, UNSUPPORTED */
function askedPage({ query }: Exchange["request"]): Page {
  const asked = new URLSearchParams(query);
  const n = asked.get("n");
  if (n !== null && !/^\d+$/.test(n)) throw new RegistryRefusal(400, "PAGINATION_NUMBER_INVALID", `n=${n} is no number of entries`);
  // ECR lists by operations of its API, and says what they say.
  if (Number(n) > 1000)
    throw new RegistryRefusal(
      405,
      "UNSUPPORTED",
      "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'",
    );
  return { limit: n === null ? Number.MAX_SAFE_INTEGER - 1 : Number(n), last: asked.get("last") ?? undefined };
}

/** The names of a page, of which one more than its limit were looked for. */
function paged(
  path: string,
  found: readonly string[],
  limit: number,
): { readonly names: readonly string[]; readonly headers: Readonly<Record<string, string>> } {
  const names = found.slice(0, limit);
  const last = names.at(-1);
  const hasMore = found.length > names.length && last !== undefined;
  return { names, headers: hasMore ? { link: `<${path}?n=${limit}&last=${encodeURIComponent(last)}>; rel="next"` } : {} };
}

/** What clients read of an index: a manifest may have no more. */
const REFERRERS_LIMIT_BYTES = 4 * 1024 * 1024 - 1024;

/** Manifests whose subject is the one asked for, as an index; in pages where they are too many for one. */
export function listReferrers({ contents, caller, place, pathName, reference, request }: Exchange): WireResponse {
  authorize({ contents, caller, place }, "BatchGetImage");
  checkDigest(reference);
  const asked = new URLSearchParams(request.query);
  const [wanted, last] = [asked.get("artifactType"), asked.get("last")];
  const prefix = [...keyOf(place), reference];
  const found = contents.store.referrersOf
    .list(prefix, last === null ? {} : { after: [...prefix, last] })
    .flatMap(({ key }) => contents.image(place, key[4] ?? "") ?? []);
  const manifests = fitting(found.filter((image) => wanted === null || image.artifactType === wanted).map(describe));
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const next = new URLSearchParams({ ...(wanted !== null && { artifactType: wanted }), last: manifests.page.at(-1)?.digest ?? "" });
  return json(
    { schemaVersion: 2, mediaType, manifests: manifests.page },
    {
      "content-type": mediaType,
      ...(wanted !== null && { "oci-filters-applied": "artifactType" }),
      ...(manifests.hasMore && { link: `</v2/${pathName}/referrers/${reference}?${next}>; rel="next"` }),
    },
  );
}

const describe = ({ mediaType, digest, manifestSize, artifactType, annotations }: Image) => ({
  mediaType,
  digest,
  size: manifestSize,
  ...(artifactType && { artifactType }),
  ...(annotations && { annotations }),
});

/** As many as one index may hold, and at least one. */
function fitting<T>(descriptors: readonly T[]): { readonly page: readonly T[]; readonly hasMore: boolean } {
  let bytes = 0;
  const end = descriptors.findIndex(
    (descriptor, index) => (bytes += Buffer.byteLength(JSON.stringify(descriptor)) + 1) > REFERRERS_LIMIT_BYTES && index > 0,
  );
  return end < 0 ? { page: descriptors, hasMore: false } : { page: descriptors.slice(0, end), hasMore: true };
}
