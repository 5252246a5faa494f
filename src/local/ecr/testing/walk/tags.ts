import { Assembly, type Manifest, TYPES } from "./data-sets.ts";
import type { Check } from "./outcomes.ts";
import { ask, expectAnswer, expectDigest, Unsupported, type WalkedRegistry, within } from "./registry.ts";

interface TagPage {
  readonly tags: readonly string[];
  /** The address of the next page, where there is one. */
  readonly next: string | undefined;
}

/** The tags of a repository, by the query given. */
export const tagsOf = (registry: WalkedRegistry, repository: string, query: Readonly<Record<string, string>> = {}): Promise<TagPage> =>
  pageAt(registry, within(registry, repository, "tags/list"), query);

async function pageAt(registry: WalkedRegistry, address: string, query: Readonly<Record<string, string>> = {}): Promise<TagPage> {
  const { body, headers, url } = expectAnswer(await ask(registry, "GET", address, { query }), { status: 200 });
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headers.get("link") ?? "")?.[1];
  // A repository without tags is told as null by some.
  const { tags } = JSON.parse(body.toString()) as { readonly tags: readonly string[] | null };
  return { tags: tags ?? [], next: link === undefined ? undefined : new URL(link, url).href };
}

const TAGS = ["page-1", "page-2", "page-3", "page-4", "page-5"];

/** Tags of one manifest: in pages, moved to another manifest, gone from the list (specification, "Listing Tags"). */
export async function walkTags(registry: WalkedRegistry, check: Check): Promise<void> {
  const [repository] = registry.repositories;
  const set = new Assembly(`tags ${process.pid} ${performance.now()}`);
  const [first, second] = ["one", "two"].map((name) => indexNamed(set, name)) as [Manifest, Manifest];
  for (const tag of TAGS) await check(`push: ${tag}`, async () => expectAnswer(await put(registry, tag, first), { status: 201 }));
  await check("no more than n", async () =>
    expectTags(await tagsOf(registry, repository, { n: "2", last: "page-1" }), ["page-2", "page-3"]),
  );
  await check("none for n=0, and no next page", async () => {
    const { tags, next } = await tagsOf(registry, repository, { n: "0" });
    if (tags.length > 0 || next !== undefined) throw new Error(`n=0 gives ${tags.join()} and ${next}`);
  });
  await check("every page by its link", () => followLinks(registry));
  await check("a tag that moves", async () => {
    expectAnswer(await put(registry, "page-3", second), { status: 201 });
    const read = (reference: string) =>
      ask(registry, "GET", within(registry, repository, `manifests/${reference}`), { headers: { accept: TYPES.index } });
    expectDigest(expectAnswer(await read("page-3"), { status: 200, body: second.bytes }), second.descriptor.digest);
    expectAnswer(await read(first.descriptor.digest), { status: 200, body: first.bytes });
  });
  await check("tags of a manifest that is deleted are not listed", () => goneWithManifest(registry, first));
  await ask(registry, "DELETE", within(registry, repository, `manifests/${second.descriptor.digest}`));
}

function indexNamed(set: Assembly, name: string): Manifest {
  set.index([], { annotations: { "org.example.walk": `${set.seed} ${name}` } });
  return set.manifests.at(-1) as Manifest;
}

const put = (registry: WalkedRegistry, tag: string, { bytes, descriptor }: Manifest) =>
  ask(registry, "PUT", within(registry, registry.repositories[0], `manifests/${tag}`), {
    headers: { "content-type": descriptor.mediaType },
    body: bytes,
  });

function expectTags({ tags }: TagPage, wanted: readonly string[]): void {
  if (tags.join() !== wanted.join()) throw new Error(`${tags.join()} instead of ${wanted.join()}`);
}

async function followLinks(registry: WalkedRegistry): Promise<void> {
  const found: string[] = [];
  for (
    let page = await tagsOf(registry, registry.repositories[0], { n: "2", last: "page-0" });
    ;
    page = await pageAt(registry, page.next)
  ) {
    found.push(...page.tags);
    if (page.next === undefined) break;
    if (page.tags.length !== 2) throw new Error(`a page of ${page.tags.length} tags has one after it`);
  }
  expectTags({ tags: found.filter((tag) => TAGS.includes(tag)), next: undefined }, TAGS);
}

async function goneWithManifest(registry: WalkedRegistry, { descriptor }: Manifest): Promise<void> {
  const [repository] = registry.repositories;
  const answer = expectAnswer(await ask(registry, "DELETE", within(registry, repository, `manifests/${descriptor.digest}`)), {
    status: [202, 400, 405],
  });
  if (answer.status !== 202) throw new Unsupported("manifests are not deleted");
  const { tags } = await tagsOf(registry, repository);
  expectTags({ tags: tags.filter((tag) => TAGS.includes(tag)), next: undefined }, ["page-3"]);
}
