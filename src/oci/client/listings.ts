import { RegistryError } from "../errors.ts";
import type { RegistryFailure } from "../errors.ts";
import type { Descriptor } from "../manifest.ts";
import { readManifest } from "../manifest.ts";
import { getManifest } from "./manifests.ts";
import { pointedTo, scopeOf, urlIn } from "./repository-address.ts";
import { whereRead } from "./transport.ts";
import type { RepositoryAddress } from "./repository-address.ts";

/** A registry that never stops paging is stopped here. */
const MOST_PAGES = 1000;

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
  for await (const page of pages(address, urlIn(address, `referrers/${digest}`)))
    found = [...(found ?? []), ...((page as { manifests?: readonly Descriptor[] | null }).manifests ?? [])];
  return found;
}

/** Registries without the API answer 404, or that they do not understand, or a web page. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof RegistryError) || error.kind !== "refused") throw error;
}

async function* pages(address: RepositoryAddress, first: URL): AsyncGenerator<unknown> {
  let url: URL | undefined = first;
  const { registry, context } = address;
  for (let page = 0; url !== undefined; page += 1) {
    const doing = `list ${url.pathname}${whereRead(address.exchange.transport(registry).elsewhere)}`;
    if (page === MOST_PAGES)
      throw new RegistryError({ registry, doing, kind: "unavailable", tries: 1, says: `its list has more than ${MOST_PAGES} pages` });
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
    url = next === undefined ? undefined : pointedTo(answer.url, next);
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
