import type { WireResponse } from "../gateway/service.ts";
import { authorize, checkDigest } from "./registry-access.ts";
import { RegistryRefusal } from "./refusals.ts";
import type { Exchange } from "./registry-path.ts";
import { keyOf } from "./store.ts";

const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): WireResponse => ({ status: 200, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

/** Tags in order, in pages of `n`. */
export function listTags({ contents, caller, place, pathName, request }: Exchange): WireResponse {
  authorize({ contents, caller, place }, "ListImages");
  const query = new URLSearchParams(request.query);
  const asked = query.get("n") ?? String(Number.MAX_SAFE_INTEGER);
  const limit = Number(asked);
  if (!/^\d+$/.test(asked)) throw new RegistryRefusal(400, "PAGINATION_NUMBER_INVALID", `n=${asked} is not a number of tags`);
  // ECR lists tags by ListImages, and says what that says.
  if (query.has("n") && limit > 1000) throw new RegistryRefusal(405, "UNSUPPORTED", "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'");
  const last = query.get("last");
  const found = contents.store.imageTags.list(keyOf(place), { limit: Math.min(limit, Number.MAX_SAFE_INTEGER - 1) + 1, ...(last !== null && { after: [...keyOf(place), last] }) });
  const tags = found.slice(0, limit).map(({ key }) => key[3] ?? "");
  const more = found.length > tags.length && tags.length > 0 ? { link: `</v2/${pathName}/tags/list?n=${limit}&last=${encodeURIComponent(tags.at(-1) ?? "")}>; rel="next"` } : {};
  return json({ name: pathName, tags }, more);
}

/** Manifests whose subject is the one asked for, as an index. */
export function listReferrers({ contents, caller, place, reference, request }: Exchange): WireResponse {
  authorize({ contents, caller, place }, "BatchGetImage");
  checkDigest(reference);
  const wanted = new URLSearchParams(request.query).get("artifactType");
  const all = contents.store.referrersOf.list([...keyOf(place), reference]).flatMap(({ key }) => contents.image(place, key[4] ?? "") ?? []);
  const manifests = all.filter((image) => wanted === null || image.artifactType === wanted).map((image) => ({
    mediaType: image.mediaType, digest: image.digest, size: image.manifestSize, ...(image.artifactType && { artifactType: image.artifactType }), ...(image.annotations && { annotations: image.annotations }),
  }));
  const mediaType = "application/vnd.oci.image.index.v1+json";
  return json({ schemaVersion: 2, mediaType, manifests }, { "content-type": mediaType, ...(wanted !== null && { "oci-filters-applied": "artifactType" }) });
}
