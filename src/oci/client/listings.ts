import { RegistryError } from "../errors.ts";
import type { RegistryFailure } from "../errors.ts";
import type { Descriptor } from "../manifest.ts";
import { readManifest } from "../manifest.ts";
import { getManifest } from "./manifests.ts";
import { scopeOf, urlIn } from "./repository-address.ts";
import { whereRead } from "./transport.ts";
import type { RepositoryAddress } from "./repository-address.ts";

/** A registry that never stops paging is stopped here. */
const MOST_PAGES = 1000;

/** All tags of the repository, in the registry's order; none where it does not exist. */
export async function listTags(address: RepositoryAddress): Promise<readonly string[]> {
  const tags: string[] = [];
  for await (const page of pages(address, urlIn(address, "tags/list")))
    tags.push(...((page as { tags?: readonly string[] | null }).tags ?? []));
  return tags;
}

/**
 * What refers to the manifest: signatures, SBOMs, attestations (OCI 1.1). A registry without the API keeps them in an
 * index under the tag `sha256-<digits>`.
 */
export async function listReferrers(address: RepositoryAddress, digest: string): Promise<readonly Descriptor[]> {
  const served = await servedReferrers(address, digest).catch(unlessRefused);
  if (served) return served;
  const fallback = await getManifest(address, digest.replace(":", "-"));
  const index = fallback && readManifest(fallback.bytes, fallback.mediaType);
  return index?.kind === "index" ? index.manifests : [];
}

async function servedReferrers(address: RepositoryAddress, digest: string): Promise<readonly Descriptor[] | undefined> {
  let found: readonly Descriptor[] | undefined;
  for await (const page of pages(address, urlIn(address, `referrers/${digest}`))) found = [...(found ?? []), ...((page as { manifests?: readonly Descriptor[] | null }).manifests ?? [])];
  return found;
}

/** Registries without the API answer 404, or that they do not understand, or a web page. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RegistryError) || error.kind !== "refused") throw error;
}

async function* pages(address: RepositoryAddress, first: URL): AsyncGenerator<unknown> {
  let url: URL | undefined = first;
  for (let page = 0; url !== undefined && page < MOST_PAGES; page += 1) {
    const { registry, context } = address;
    const doing = `list ${url.pathname}${whereRead(address.exchange.transport(registry).elsewhere)}`;
    const answer = await address.exchange.send({
      registry,
      method: "GET",
      url,
      scopes: [scopeOf(address, "pull")],
      doing,
      expect: [200, 404],
      context,
    });
    const text = await answer.body.text();
    if (answer.status === 404) return;
    yield readPage(text, { registry, doing });
    const next: string | undefined = /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.headers["link"] ?? "")?.[1];
    const following: URL | undefined = next === undefined ? undefined : new URL(next, answer.url);
    // A link to another host would be followed with this registry's token.
    url = following?.origin === answer.url.origin ? following : undefined;
  }
}

function readPage(text: string, about: Pick<RegistryFailure, "registry" | "doing">): unknown {
  try {
    const page: unknown = JSON.parse(text);
    if (typeof page === "object" && page !== null) return page;
  } catch {
    // Told below, like JSON that is no object.
  }
  throw new RegistryError({ ...about, kind: "refused", says: "what it answers is no list" });
}
