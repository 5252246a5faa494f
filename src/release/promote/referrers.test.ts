import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { signIn } from "../../local/ecr/testing/registry.ts";
import { PRODUCTION } from "../../local/testing/accounts.ts";
import { findReferrers } from "../../oci/copy/referrers.ts";
import type { Fault, SeenRequest } from "../../oci/testing/fault-proxy.ts";
import { noise, pushIndex, pushReferrer, pushSample } from "../../oci/testing/sample-images.ts";
import { summarizeReferrers } from "./referrers.ts";
import { openProductionLab, type ProductionLab } from "./testing/production-lab.ts";

// Accounts of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: ProductionLab;
beforeAll(async () => {
  lab = await openProductionLab();
});
afterAll(() => lab?.[Symbol.asyncDispose]());

test("signatures, SBOMs and attestations come with a copy: by the API, the fallback tag and cosign's tags, of platforms and of each other", async () => {
  const { at, index, children, image } = await lab.releasedIndex("bio/signed");
  const sbom = await pushReferrer(at, index, { artifactType: "application/spdx+json", content: noise("sbom", 3000) });
  const ofSbom = await pushReferrer(at, sbom, {
    artifactType: "application/vnd.cncf.notary.signature",
    content: noise("of the sbom", 300),
  });
  // Whoever looks goes on to the end.
  const further = [ofSbom];
  for (const depth of [3, 4, 5])
    further.push(
      await pushReferrer(at, further.at(-1)!, {
        artifactType: "application/vnd.cncf.notary.signature",
        content: noise(`of the one before ${depth}`, 300),
      }),
    );
  const ofPlatform = await pushSample(at, `${children[0]!.digest.replace(":", "-")}.sig`, { layers: [noise("signature", 200)] });
  const listedByTag = await pushSample(at, "", { layers: [noise("listed by tag", 200)] });
  await pushIndex(at, children[1]!.digest.replace(":", "-"), [listedByTag]);
  const wanted = [sbom, ...further, ofPlatform, listedByTag].map(({ digest }) => digest).sort();
  const first = await lab.copy([image]);
  expect(first.referrers[0]!.referrers.map(({ digest }) => digest).sort()).toEqual(wanted);
  expect(first.toldOfReferrers).toEqual([expect.stringContaining(`application/vnd.cncf.notary.signature ${ofSbom.digest}`)]);
  expect(summarizeReferrers(first.referrers)).toBe("; with its images are 7 signatures, SBOMs and attestations");
  await using production = await signIn(lab.accounts, "production");
  const there = await findReferrers(production.repository("bio/signed", PRODUCTION), index.digest);
  expect(there.map(({ digest, subject, tag }) => ({ digest, subject, tag }))).toEqual(
    (await findReferrers(at, index.digest)).map(({ digest, subject, tag }) => ({ digest, subject, tag })),
  );
  expect(there.map(({ digest }) => digest).sort()).toEqual(wanted);
  const again = await lab.copy([image]);
  expect([again.referrers, again.uploads]).toEqual([first.referrers, []]);
});

test("where production reads the cicd account's images, it is said which signatures it can read there, and which are gone", async () => {
  const { at, index, image } = await lab.releasedIndex("bio/shared");
  const sbom = await pushReferrer(at, index, { artifactType: "application/spdx+json", content: noise("shared sbom", 300) });
  expect((await lab.copy([image], { promote: "share" })).referrers).toEqual([
    { image: image.target, referrers: [{ digest: sbom.digest, type: "application/spdx+json", subject: index.digest }] },
  ]);
  const lacking = await lab.copy([image], {
    promote: "share",
    fail: ({ path }) => (path.endsWith(`/manifests/${sbom.digest}`) ? { kind: "answer", status: 404 } : undefined),
  });
  expect([lacking.copied, lacking.referrers]).toEqual([
    [image],
    [{ image: image.target, referrers: [], problem: expect.stringContaining(`has a referrer ${sbom.digest}`) as string }],
  ]);
  expect(summarizeReferrers(lacking.referrers)).toMatch(/^; what refers to .*bio\/shared@sha256:[0-9a-f]{64} is not all there: /);
});

test("a registry that does not tell of referrers fails no release, and that is told; one without the API is asked by the tag", async () => {
  const { at, index, image } = await lab.releasedIndex("bio/untold");
  const sbom = await pushReferrer(at, index, { artifactType: "application/spdx+json", content: noise("untold", 300) });
  const to =
    (status: number) =>
    ({ path }: SeenRequest): Fault | undefined =>
      path.includes("/referrers/") ? { kind: "answer", status } : undefined;
  const refused = await lab.copy([image], { fail: to(403) });
  expect([refused.copied, refused.referrers]).toEqual([
    [expect.objectContaining({ digest: image.digest })],
    [expect.objectContaining({ referrers: [], problem: expect.stringMatching(/refuses access \(list .*referrers/) as string })],
  ]);
  expect(refused.toldOfReferrers).toEqual([
    expect.stringMatching(/bio\/untold@sha256:.*: what refers to it is not all there, and the release goes on: /),
  ]);
  expect((await lab.copy([image], { fail: to(404) })).referrers).toEqual([]);
  await pushIndex(at, index.digest.replace(":", "-"), [sbom]);
  expect((await lab.copy([image], { fail: to(404) })).referrers).toEqual([
    expect.objectContaining({ referrers: [expect.objectContaining({ digest: sbom.digest })] }),
  ]);
});
