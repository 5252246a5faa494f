import { expect, test } from "vitest";
import type { ReleaseRecord } from "./bundle.ts";
import { definitionFrom } from "./bundled-definition.ts";

const CICD = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
const OWN = "444455556666.dkr.ecr.us-east-1.amazonaws.com";
const PRODUCTION = { account: "444455556666", region: "us-east-1" };
const at = (registry: string, name: string) => `${registry}/${name}@sha256:${"a".repeat(64)}`;

// One that is mapped, one that the definition names by its address in the cicd account.
const released = [
  { image: "quay.io/bio/bwa:1", target: at(CICD, "quay/bio/bwa") },
  { image: at(CICD, "lab/tool"), target: at(CICD, "lab/tool") },
].map((one) => ({ ...one, source: one.image, digest: `sha256:${"a".repeat(64)}` }));
const MAP = {
  registryMappings: [{ upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" }],
  imageMappings: [
    { sourceImage: "quay.io/bio/bwa:1", destinationImage: at(CICD, "quay/bio/bwa") },
    { sourceImage: "theirs:1", destinationImage: at(CICD, "theirs") },
  ],
};

async function mapIn(promote: "share" | "copy", place = PRODUCTION) {
  const record = {
    workflow: "demo",
    engine: "WDL",
    main: "main.wdl",
    images: released,
    promote,
    cicd: { account: "111122223333", region: "us-east-1" },
    files: [{ name: "definition.zip", sha256: "f", bytes: 1 }],
  } as unknown as ReleaseRecord;
  const file = (name: string) => Promise.resolve(Buffer.from(name === "container-registry-map.json" ? JSON.stringify(MAP) : "{}"));
  const images = released.map((one) => ({ ...one, target: one.target.replace(CICD, OWN) }));
  return (await definitionFrom({ record, content: "", file }, { bucket: "releases", prefix: "demo/1.0.0", place, images })).registryMap;
}

test("a version on copies maps to production's own images, those too that the definition names by the cicd account's address; the user's mappings stay", async () => {
  expect(await mapIn("share")).toEqual(MAP);
  const own = {
    ...MAP,
    imageMappings: [
      { sourceImage: "quay.io/bio/bwa:1", destinationImage: at(OWN, "quay/bio/bwa") },
      { sourceImage: "theirs:1", destinationImage: at(CICD, "theirs") },
      { sourceImage: at(CICD, "lab/tool"), destinationImage: at(OWN, "lab/tool") },
    ],
  };
  expect(await mapIn("copy")).toEqual(own);
  // Whatever a workflow asks for, another region has copies.
  expect(await mapIn("share", { ...PRODUCTION, region: "eu-west-1" })).toEqual(own);
});
