import { walkBlobs } from "./blobs.ts";
import { walkChallenges } from "./credentials.ts";
import { IMAGE_WALKS, referrersOf, walkImages } from "./images.ts";
import { walkNextVersion } from "./next-version.ts";
import { type Check, type Outcome, outcomes } from "./outcomes.ts";
import { walkFalse, walkSparse } from "./refusals.ts";
import { ask, digestBy, expectAnswer, type WalkedRegistry, within } from "./registry.ts";
import { walkTags } from "./tags.ts";

type Section = (registry: WalkedRegistry, check: Check) => Promise<void>;

/**
 * What the conformance suites of distribution-spec ask of a registry (1.1, and its options that are off by default), in our
 * own words: every form of upload with both algorithms, every kind of manifest on its way from push to deletion, what must be
 * refused. And what the specification says besides: tags in pages, the form of errors, challenges.
 */
export const SECTIONS: Readonly<Record<string, Section>> = {
  "an empty repository": walkEmpty,
  "requests without credentials": walkChallenges,
  "blobs named by SHA-256": (registry, check) => walkBlobs(registry, "sha256", check),
  "blobs named by SHA-512": (registry, check) => walkBlobs(registry, "sha512", check),
  ...Object.fromEntries(IMAGE_WALKS.map((name): [string, Section] => [name, (registry, check) => walkImages(registry, name, check)])),
  "manifests that are missing or false": walkFalse,
  "manifests that name what is not there": walkSparse,
  "tags in pages": walkTags,
  "what the next version asks": walkNextVersion,
};

/** One section of the walk. */
export async function walkSection(registry: WalkedRegistry, name: string): Promise<readonly Outcome[]> {
  const { check, all } = outcomes();
  await SECTIONS[name]?.(registry, check);
  return all;
}

async function walkEmpty(registry: WalkedRegistry, check: Check): Promise<void> {
  const [repository] = registry.repositories;
  await check("GET /v2/", async () => expectAnswer(await ask(registry, "GET", `${registry.url}/v2/`), { status: 200 }));
  await check("tags", async () => {
    const answer = expectAnswer(await ask(registry, "GET", within(registry, repository, "tags/list")), { status: [200, 404] });
    if (answer.status === 200 && !("tags" in (JSON.parse(answer.body.toString()) as object)))
      throw new Error(`${answer.body.toString()} is no list of tags`);
  });
  await check("referrers", async () => {
    const { manifests } = await referrersOf(registry, repository, { digest: digestBy("sha256", `nothing ${performance.now()}`) });
    if (manifests.length > 0) throw new Error("nothing has referrers");
  });
}
