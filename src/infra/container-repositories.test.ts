import { CreateRepositoryCommand, DeleteRepositoryPolicyCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../kit/clock.ts";
import { PRODUCTION } from "../local/testing/accounts.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { HOME, PATIENCE_MS } from "./testing/containers.ts";
import { openPullerLab, type PullerLab } from "./testing/puller-lab.ts";

// The repositories that images are pulled into: ours, and those of others

let lab: PullerLab;
beforeAll(async () => {
  lab = await openPullerLab();
}, PATIENCE_MS);
afterAll(() => lab?.[Symbol.asyncDispose](), PATIENCE_MS);

test(
  "E29, E30: a missing policy is repaired although the image is there; others' statements stay",
  async () => {
    await lab.sample("lab/repaired", "1", noise("repaired", 4000));
    await lab.stage.run("puller", ["quay.io/lab/repaired:1"]);
    const theirs = { Sid: "Theirs", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` }, Action: "ecr:BatchGetImage" };
    await lab.stage.ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName: "quay/lab/repaired" }));
    await lab.stage.ecr.send(
      new SetRepositoryPolicyCommand({
        repositoryName: "quay/lab/repaired",
        policyText: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }),
      }),
    );
    expect((await lab.stage.run("puller", ["quay.io/lab/repaired:1"])).images[0]).toMatchObject({ status: "SKIPPED" });
    expect((await lab.stage.policyOf("quay/lab/repaired"))?.Statement.map(({ Sid }) => Sid)).toEqual(["Theirs", "OmxHealthOmics"]);
  },
  PATIENCE_MS,
);

test(
  "E27: somebody else's repository is left alone: used where HealthOmics may read it, refused with advice where not",
  async () => {
    const { client, ecr: admin } = lab.stage.registryOf("cicd");
    for (const repositoryName of ["closed", "open"]) {
      await admin.send(new CreateRepositoryCommand({ repositoryName }));
      await pushSample(client.repository({ registry: HOME, repository: repositoryName }), "1", { layers: [noise(repositoryName, 3000)] });
    }
    const theirs = {
      Sid: "Theirs",
      Effect: "Allow",
      Principal: { Service: "omics.amazonaws.com" },
      Action: ["ecr:Batch*", "ecr:GetDownloadUrlForLayer"],
    };
    await admin.send(
      new SetRepositoryPolicyCommand({
        repositoryName: "open",
        policyText: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }),
      }),
    );
    const { images } = await lab.stage.run("puller", [`${HOME}/closed:1`, `${HOME}/open:1`]);
    expect(images.map(({ status }) => status)).toEqual(["FAILED", "SKIPPED"]);
    expect(images[0]!.reason).toContain("tag it createdBy=omx-ecr-helper");
    expect(await lab.stage.policyOf("closed")).toBeUndefined();
    expect((await lab.stage.policyOf("open"))?.Statement.map(({ Sid }) => Sid)).toEqual(["Theirs"]);
    await client.close();
  },
  PATIENCE_MS,
);

test(
  "E25: a repository that appears with our tag is opened by its event; any other is left alone",
  async () => {
    const create = (repositoryName: string, tags: { Key: string; Value: string }[]) =>
      lab.stage.ecr.send(new CreateRepositoryCommand({ repositoryName, tags }));
    await create("appeared/theirs", [{ Key: "team", Value: "theirs" }]);
    await create("appeared/ours", [{ Key: "createdBy", Value: "omx-ecr-helper" }]);
    while (!(await lab.stage.policyOf("appeared/ours"))) await systemClock.sleep(100);
    expect((await lab.stage.policyOf("appeared/ours"))?.Statement.map(({ Sid }) => Sid)).toEqual(["OmxHealthOmics"]);
    expect(await lab.stage.policyOf("appeared/theirs")).toBeUndefined();
  },
  PATIENCE_MS,
);
