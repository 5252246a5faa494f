import { createHash } from "node:crypto";
import { DescribeImagesCommand } from "@aws-sdk/client-ecr";
import { expect, test, vi } from "vitest";
import { conformanceRegistry } from "../testing/conformance.ts";
import { type Piece, pieces, RepositoryModel } from "../testing/model.ts";
import { createRepository } from "../testing/registry.ts";

// Pushes, moves of tags and deletions in any order leave what they should, to every question that can be asked.

vi.setConfig({ testTimeout: 120_000 });
const registry = conformanceRegistry();

const STEPS = 250;
const TAGS = ["a", "b", "B", "a.b", "z"];
const TYPES = [undefined, "application/vnd.example.one", "application/vnd.example.two", "application/vnd.example.config"];

/** Choices that are the same at each run. */
function chooser(seed: string): <T>(among: readonly T[]) => T {
  let next = 0;
  return (among) =>
    among[
      createHash("sha256")
        .update(`${seed} ${(next += 1)}`)
        .digest()
        .readUInt32BE() % among.length
    ]!;
}

interface Walk {
  readonly model: RepositoryModel;
  readonly choose: ReturnType<typeof chooser>;
  readonly piece: Piece;
  readonly tag: string;
  ask(
    method: string,
    path: string,
    request?: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<Response>;
}

const push = async ({ ask, piece, model }: Walk, tag?: string) => {
  const { status } = await ask("PUT", `manifests/${tag ?? piece.digest}`, {
    body: piece.text,
    headers: { "content-type": piece.mediaType },
  });
  expect(status).toBe(model.put(piece, tag));
};

const OPERATIONS: readonly ((walk: Walk) => Promise<void>)[] = [
  (walk) => push(walk),
  (walk) => push(walk, walk.tag),
  (walk) => push(walk, walk.tag),
  async ({ ask, model, tag }) => expect((await ask("DELETE", `manifests/${tag}`)).status).toBe(model.deleteTag(tag)),
  async ({ ask, model, piece }) => expect((await ask("DELETE", `manifests/${piece.digest}`)).status).toBe(model.deleteDigest(piece.digest)),
  async ({ ask, model, piece }) => {
    const answer = await ask("GET", `manifests/${piece.digest}`);
    if (model.images.has(piece.digest)) expect(await answer.text()).toBe(piece.text);
    else expect(answer.status).toBe(404);
  },
  async ({ ask, model, tag }) =>
    expect((await ask("HEAD", `manifests/${tag}`)).headers.get("docker-content-digest")).toBe(model.tags.get(tag) ?? null),
  async ({ ask, model, choose }) => {
    const [last, n] = [choose([undefined, "aa", ...TAGS]), choose([undefined, 0, 1, 2, 10])];
    const answer = await ask(
      "GET",
      `tags/list?${new URLSearchParams({ ...(last !== undefined && { last }), ...(n !== undefined && { n: String(n) }) })}`,
    );
    const tags = model.tagsAfter(last);
    expect(await answer.json()).toMatchObject({ tags: tags.slice(0, n) });
    expect(answer.headers.has("link")).toBe(n !== undefined && n > 0 && tags.length > n);
  },
  async ({ ask, model, piece, choose }) => {
    const type = choose(TYPES);
    const answer = await ask("GET", `referrers/${piece.digest}${type === undefined ? "" : `?artifactType=${type}`}`);
    const { manifests } = (await answer.json()) as { manifests: { digest: string }[] };
    expect(manifests.map(({ digest }) => digest).toSorted()).toEqual(model.referrers(piece.digest, type));
  },
];

test.each(["one", "two", "three"])("a repository is what was done to it: %s", async (seed) => {
  const repositoryName = `model/${seed}`;
  await createRepository(registry.user.ecr, repositoryName);
  const ask: Walk["ask"] = (method, path, request) => registry.user.http(method, `${repositoryName}/${path}`, request);
  expect(
    (
      await ask("POST", "blobs/uploads/?digest=sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", {
        body: "{}",
        headers: {},
      })
    ).status,
  ).toBe(201);
  const [choose, model, all] = [chooser(seed), new RepositoryModel(), pieces()];
  for (let step = 0; step < STEPS; step += 1) await choose(OPERATIONS)({ model, choose, ask, piece: choose(all), tag: choose(TAGS) });
  const { imageDetails = [] } = await registry.user.ecr.send(new DescribeImagesCommand({ repositoryName, maxResults: 1000 }));
  expect(imageDetails.map(({ imageDigest }) => imageDigest!).toSorted()).toEqual([...model.images.keys()].toSorted());
  expect(new Map(imageDetails.flatMap(({ imageDigest, imageTags = [] }) => imageTags.map((tag) => [tag, imageDigest])))).toEqual(
    model.tags,
  );
});
