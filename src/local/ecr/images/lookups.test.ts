import { BatchDeleteImageCommand, DescribeImagesCommand } from "@aws-sdk/client-ecr";
import { expect, test, vi } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { noise, pushIndex, pushSample } from "../../../oci/testing/sample-images.ts";
import { startAccounts } from "../../testing/accounts.ts";
import { createRepository, signIn } from "../testing/registry.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

test("a data folder that was written before the lookups of tags, uses and referrers has them after its next start", async () => {
  await using accounts = await startAccounts();
  await using user = await signIn(accounts);
  await createRepository(user.ecr, "older");
  const image = await pushSample(user.repository("older"), "1", { layers: [noise("older", 1000)] });
  await pushIndex(user.repository("older"), "all", [image]);
  const referrer = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [],
    subject: image,
  });
  await user.http("PUT", `older/manifests/${digestOf(referrer)}`, {
    body: referrer,
    headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
  });
  const { database } = accounts.accounts.core;
  for (const name of ["ecr.tag-of-image", "ecr.use", "ecr.referrer", "ecr.unused-layer", "ecr.state"]) {
    const collection = database.collection<object>(name);
    for (const { key } of collection.list([])) collection.delete(key);
  }
  await accounts.restart();
  await using later = await signIn(accounts);
  const { imageDetails } = await later.ecr.send(
    new DescribeImagesCommand({ repositoryName: "older", imageIds: [{ imageDigest: image.digest }] }),
  );
  expect(imageDetails).toMatchObject([{ imageTags: ["1"] }]);
  const { failures } = await later.ecr.send(
    new BatchDeleteImageCommand({ repositoryName: "older", imageIds: [{ imageDigest: image.digest }] }),
  );
  expect(failures).toMatchObject([{ failureCode: "ImageReferencedByManifestList" }]);
  expect(await (await later.http("GET", `older/referrers/${image.digest}`)).json()).toMatchObject({
    manifests: [{ digest: digestOf(referrer) }],
  });
});
