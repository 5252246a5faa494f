import { expect, test } from "vitest";
import { formatImageRef, type ImageRef, parseImageRef } from "./image-ref.ts";
import { privateEcrHost, privateEcrOf } from "./image-ref-ecr.ts";
import { InvalidValue } from "./invalid-value.ts";
import { detectCollisions, formatTarget, REGISTRY_NAMESPACES, type RegistryNamespaces, targetRepository } from "./registry-namespaces.ts";
import { extendNamespaces, namespaceProblems } from "./registry-namespaces-entries.ts";

/** A fixed sequence of numbers in [0, 1), so that a failure can be repeated. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const HOME = { account: "111122223333", region: "us-east-1" };
const DIGEST = `sha256:${"a".repeat(64)}`;
// By ECR's API model: RepositoryName of CreateRepository, and a tag of the OCI distribution specification.
const REPOSITORY = /^(?=.{2,256}$)[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

const HOSTS = [
  "host.lab.example",
  "5000.lab.example",
  "ipv6.lab.example",
  "lab:7000",
  ...Object.keys(REGISTRY_NAMESPACES).flatMap((host) =>
    host.includes("*") ? ["us", "eu", "my--lab"].map((word) => host.replace("*", word)) : [host],
  ),
  "index.docker.io",
  "k8s.gcr.io",
  "quay.io:443",
  "quay.io:8443",
  "lab.example",
  "one.lab.example",
  "two.lab.example",
  "one.lab.example:5000",
  "localhost",
  "localhost:5000",
  "lab:5000",
  "10.0.0.1:443",
  "[::1]",
  "[::1]:5000",
  "[2001:db8::]",
  "[2001:db8::]:5000",
  "[0:0:0:0:0:0:0:1]:5000",
  "ipv6-0:5000",
  "xn--bcher-kva.example",
  "a---b.example",
  "111122223333.dkr.ecr.us-east-1.amazonaws.com",
  "444455556666.dkr.ecr.us-east-1.amazonaws.com",
  "444455556666.dkr.ecr-fips.us-east-1.amazonaws.com",
  "444455556666.dkr-ecr.us-east-1.on.aws",
  "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn",
  "444455556666.dkr.ecr.us-east-1.amazonaws.com.evil.example",
];
const KEYS = [
  "quay.io",
  "docker.io",
  "eu.gcr.io",
  "*.gcr.io",
  "us.pkg.dev",
  "*.pkg.dev",
  "my--lab.azurecr.io",
  "*.azurecr.io",
  "lab.example",
  "*.lab.example",
  "*.lab.example:5000",
  "one.lab.example",
  "localhost",
  "localhost:5000",
  "lab:5000",
  "[::1]:5000",
  "444455556666.dkr.ecr.us-east-1.amazonaws.com",
  "*.dkr.ecr.us-east-1.amazonaws.com",
  "*.example",
  "index.docker.io",
  "Quay.io",
  "*",
];
const VALUES = [
  "mine",
  "mine/deep",
  "mine/*",
  "*",
  "*-x",
  "x-*",
  "m*e",
  "local*",
  "lab_*",
  "*_0-0-0-0-0-0-0-1",
  "quay",
  "quay/a",
  "qu*",
  "gcr",
  "gcr/*",
  "gar/*",
  "acr",
  "acr/one",
  "acr/*",
  "azure/*",
  "ecr",
  "ecr/*",
  "ecr/444455556666/us-east-1",
  "lab.example",
  "localhost",
  "localhost_5000",
  "lab_5000",
  "ipv6_0-0-0-0-0-0-0-1",
  "one.lab.example",
  "lab.example/x",
  "one.lab.example_5000",
  "x__y",
  "a--b",
  "",
  "A",
  "a",
  "dockerhub/library",
];
const WORDS = [
  "a",
  "b9",
  "tool",
  "x--y",
  "a__b",
  "a.b",
  "a-b",
  "quay",
  "gcr",
  "acr",
  "one",
  "two",
  "x",
  "mine",
  "deep",
  "ecr",
  "444455556666",
  "us-east-1",
  "library",
  "localhost",
  "u".repeat(120),
];

function chooser(seed: number) {
  const next = sequence(seed);
  const below = (count: number) => Math.floor(next() * count);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const path = () => Array.from({ length: 1 + below(4) }, () => pick(WORDS)).join("/");
  return {
    /** One path, and where others would have to be to meet it. */
    meetings: () => {
      const [end, ...between] = [pick(WORDS), pick(WORDS), pick(WORDS)];
      const paths = [
        end,
        ...VALUES.concat(between).map((value) => `${value.split("/").slice(1).join("/") || value}/${end}`),
        ...HOSTS.map((host) => `${host.split(".")[0]}/${end}`),
      ];
      return HOSTS.flatMap((host) => Array.from({ length: 6 }, () => `${host}/${pick(paths)}:1`));
    },
    table: (): RegistryNamespaces => Object.fromEntries(Array.from({ length: below(4) }, () => [pick(KEYS), pick(VALUES)])),
    name: () => `${pick(HOSTS)}/${path()}${pick([":1", ":2", ":1.20--h50ea8bc_0", `@${DIGEST}`, `:1@${DIGEST}`])}`,
  };
}

/** Whether the names stand for one registry: private ECR has several addresses. */
const identity = ({ registry }: ImageRef): string => {
  const ecr = privateEcrOf({ registry, repository: "x" });
  return ecr ? privateEcrHost(ecr) : registry;
};

function read(text: string): ImageRef | undefined {
  try {
    return parseImageRef(text);
  } catch (error) {
    expect(error, text).toBeInstanceOf(InvalidValue);
    return undefined;
  }
}

function placed(source: ImageRef, namespaces: RegistryNamespaces): ImageRef | undefined {
  try {
    return { registry: identity(source), ...targetRepository(source, { home: HOME, namespaces }) };
  } catch (error) {
    expect(error, formatImageRef(source)).toBeInstanceOf(InvalidValue);
    return undefined;
  }
}

/** Registries that omx itself puts under one namespace, as the AWS ECR helper does: regions of one service. */
const shareByIntent = (one: string, other: string, table: RegistryNamespaces): boolean =>
  [".gcr.io", ".pkg.dev"].some(
    (ending) => table[`*${ending}`] === REGISTRY_NAMESPACES[`*${ending}`] && [one, other].every((host) => `.${host}`.endsWith(ending)),
  );

test("whatever table is taken and whatever images meet: names that ECR takes, and no two registries share one but those that omx tells apart", () => {
  const { table, name, meetings } = chooser(17);
  let taken = 0;
  for (let round = 0; round < 500; round++) {
    const entries = table();
    if (namespaceProblems(entries).length > 0) continue;
    taken += 1;
    const namespaces = extendNamespaces(entries);
    const sources = [...Array.from({ length: 30 }, name), ...meetings()]
      .flatMap((text) => read(text) ?? [])
      .filter((source) => placed(source, namespaces));
    const byTarget = Map.groupBy(sources, (source) => formatTarget(placed(source, namespaces)!));
    const told = new Set(detectCollisions(sources, { home: HOME, namespaces }).map(({ target }) => target));
    for (const [target, meeting] of byTarget) {
      const { repository, tag, digest } = placed(meeting[0]!, namespaces)!;
      expect(repository, target).toMatch(REPOSITORY);
      if (tag !== undefined) expect(tag).toMatch(TAG);
      if (tag === undefined) expect(digest).toBe(DIGEST);
      const registries = [...new Set(meeting.map(identity))];
      for (const other of registries.slice(1)) {
        const isHome = [registries[0], other].includes("111122223333.dkr.ecr.us-east-1.amazonaws.com");
        expect(
          isHome || shareByIntent(registries[0]!, other, namespaces),
          `${JSON.stringify(entries)}: ${target} of ${registries.join(", ")}`,
        ).toBe(true);
      }
      const digests = new Set(meeting.map((source) => source.digest));
      const images = new Set(meeting.map((source) => `${identity(source)}/${source.repository} ${source.digest}`));
      expect(told.has(target), `${target} of ${meeting.map(formatImageRef).join(", ")}`).toBe(
        images.size > 1 && (digests.size > 1 || digests.has(undefined)),
      );
    }
  }
  expect(taken).toBeGreaterThan(80);
});

test("whatever parses prints in one spelling that reads back equal", () => {
  const { name } = chooser(23);
  for (let round = 0; round < 5000; round++) {
    const ref = read(name());
    if (ref === undefined) continue;
    const printed = formatImageRef(ref);
    expect(parseImageRef(printed)).toEqual(ref);
    expect(formatImageRef(parseImageRef(`docker://${printed}`))).toBe(printed);
  }
});
