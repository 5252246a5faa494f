import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BatchDeleteImageCommand, DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRepository, hostOf, type RegistryUser, signIn } from "../local/ecr/testing/registry.ts";
import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { noise, pushIndex, pushReferrer, pushSample } from "../oci/testing/sample-images.ts";
import { awsClients } from "../aws/clients.ts";
import { hasty } from "../release/images/testing/image-lab.ts";
import { mergeOnce } from "../release/images/repositories/ensure-policies.ts";
import { LOCK_FILE } from "../release/images/lock/lock-file.ts";
import type { ContainersLock } from "../release/images/lock/lock.ts";
import { accountStatement, productionStatements } from "../release/images/repositories/repository-policy.ts";
import type { ReleaseRecord } from "../release/promote/bundle.ts";
import { copyToProduction } from "../release/promote/own-images.ts";
import { promoteReferrers } from "../release/promote/referrers.ts";
import { cliAt, type InProcess } from "./testing/in-process.ts";
import { release } from "./testing/released.ts";

// What production reads, proved by `omx images verify`: in another region, and what refers to its images.

const MS = 120_000;
const ELSEWHERE = "eu-west-1";

let accounts: TestAccounts;
let cicd: RegistryUser;
beforeAll(async () => {
  accounts = await startAccounts();
  cicd = await signIn(accounts);
}, MS);
afterAll(async () => {
  await cicd?.[Symbol.asyncDispose]();
  await accounts?.[Symbol.asyncDispose]();
}, MS);

/** An image for two platforms in the cicd account that production may read, and its lock. */
async function staged(repository: string) {
  await createRepository(cicd.ecr, repository, { tags: [{ Key: "createdBy", Value: "omx-ecr-helper" }] });
  await mergeOnce(cicd.ecr, repository, productionStatements({ account: PRODUCTION, region: REGION }));
  const at = cicd.repository(repository);
  const children = await Promise.all(
    ["amd64", "arm64"].map((architecture) =>
      pushSample(at, "", { layers: [noise(`${repository} ${architecture}`, 9000)], platform: { os: "linux", architecture } }),
    ),
  );
  const index = await pushIndex(at, "1", children);
  const image = `quay.io/${repository}:1`;
  const lock: ContainersLock = {
    version: 1,
    images: [{ image, source: image, target: `${hostOf(CICD)}/${repository}@${index.digest}`, digest: index.digest }],
  };
  return { at, index, children, lock };
}

/** Copies a lock's images into production's own ECR of a region, as a promotion does. */
async function promoted(lock: ContainersLock, region: string): Promise<ContainersLock["images"]> {
  const config = accounts.config("production");
  const target = { region, credentials: config.credentials, endpoint: config.endpoint };
  const env = {
    clients: awsClients(target),
    place: { account: PRODUCTION, region },
    cicd: { account: CICD, region: REGION },
    target,
    clock: hasty,
    emit: () => undefined,
  };
  const record = {
    workflow: "demo",
    version: "1.0.0",
    images: [...lock.images],
    promote: "copy",
    cicd: { ...env.cicd, workflowId: "1", versionArn: "a" },
  } as unknown as ReleaseRecord;
  const images = await copyToProduction(env, record);
  await promoteReferrers(env, record, images);
  return images;
}

interface Verified {
  readonly ok: boolean;
  readonly images: readonly {
    readonly view: string;
    readonly target: string;
    readonly manifests: number;
    readonly problems: readonly string[];
  }[];
  readonly referrers: readonly {
    readonly digest: string;
    readonly type: string;
    readonly target: string;
    readonly problems: readonly string[];
  }[];
  readonly problems: readonly string[];
}

async function verify(cli: InProcess, ...args: readonly string[]) {
  const ran = await cli.run("images", "verify", "--profile", "cicd", "--production", "production", "--json", ...args);
  return { code: ran.code, ...ran.json<Verified>() };
}

test(
  "a bundle of another region is proved where it was released: its bucket, workflow and own images are there",
  async () => {
    using cli = cliAt(accounts);
    const { lock, index } = await staged("regions/tool");
    const own = await promoted(lock, ELSEWHERE);
    const bundle = await release(accounts, {
      lock,
      workflow: "abroad",
      bucket: `omx-releases-${PRODUCTION}-${ELSEWHERE}`,
      map: own,
      region: ELSEWHERE,
    });
    const there = `${PRODUCTION}.dkr.ecr.${ELSEWHERE}.amazonaws.com/regions/tool@${index.digest}`;
    expect(await verify(cli, "--bundle", bundle, "--deep")).toMatchObject({
      code: 0,
      ok: true,
      problems: [],
      images: [
        { view: "cicd", manifests: 3 },
        { view: "production", target: there, manifests: 3, problems: [] },
      ],
    });
    expect(await verify(cli, "--bundle", `${bundle}/`)).toMatchObject({ code: 0 });
    const asDeployer = await cli.run("images", "verify", "--profile", "production", "--bundle", bundle, "--json");
    expect(asDeployer.json<Verified>().images).toMatchObject([{ target: expect.stringContaining(CICD) as string }]);

    const ecr = new ECRClient({ ...accounts.config("production"), region: ELSEWHERE });
    await ecr.send(new BatchDeleteImageCommand({ repositoryName: "regions/tool", imageIds: [{ imageTag: "demo-1.0.0" }] }));
    expect(await verify(cli, "--bundle", bundle)).toMatchObject({
      code: 1,
      images: [{ problems: [] }, { target: there, problems: [`the manifest ${index.digest} is not there`] }],
    });
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({}));
    expect(repositories?.map(({ repositoryName }) => repositoryName)).toEqual(["regions/tool"]);
  },
  MS,
);

test(
  "without a bundle production's copies are read where its region is another than the cicd account's, whatever omx.yaml asks for",
  async () => {
    using cli = cliAt(accounts);
    const { lock, index } = await staged("apart/tool");
    await promoted(lock, REGION);
    writeFileSync(join(cli.folder, LOCK_FILE), JSON.stringify(lock));
    const { images } = await verify(cli, cli.folder, "--region", ELSEWHERE);
    expect(images.map(({ target, problems }) => [target.slice(0, 12), target.slice(-index.digest.length), problems.length])).toEqual([
      [CICD, index.digest, 0],
      [PRODUCTION, index.digest, 0],
    ]);
  },
  MS,
);

test(
  "a version that maps to a tag, or to nothing, is told as not named by digest",
  async () => {
    using cli = cliAt(accounts);
    const { lock } = await staged("mapped/tool");
    const [locked] = lock.images as [(typeof lock.images)[number]];
    for (const [workflow, map] of [
      ["by-tag", [{ ...locked, target: `${hostOf(CICD)}/mapped/tool:1` }]],
      ["by-nothing", []],
    ] as const)
      expect(await verify(cli, "--bundle", await release(accounts, { lock, workflow, map }))).toMatchObject({
        code: 1,
        problems: [`version 1.0.0 in production: quay.io/mapped/tool:1 is not named by digest, the lock says ${locked.digest}`],
      });
  },
  MS,
);

test(
  "signatures and SBOMs of the cicd account are proved in production's copies, and those that came after the release are named",
  async () => {
    using cli = cliAt(accounts);
    const { at, index, children, lock } = await staged("signed/tool");
    const sbom = await pushReferrer(at, index, { artifactType: "application/spdx+json", content: noise("sbom", 4000) });
    const signatures = [await pushSample(at, `${children[0]!.digest.replace(":", "-")}.sig`, { layers: [noise("signature", 100)] })];
    for (const depth of [2, 3, 4, 5])
      signatures.push(
        await pushReferrer(at, signatures.at(-1)!, {
          artifactType: "application/vnd.cncf.notary.signature",
          content: noise(`at depth ${depth}`, 100),
        }),
      );
    const folder = join(cli.folder, "signed");
    mkdirSync(folder);
    writeFileSync(join(folder, "omx.yaml"), 'name: signed\nversion: "1.0"\nimages: { promote: copy }\n');
    writeFileSync(
      join(folder, "main.wdl"),
      'version 1.0\nworkflow w { call t }\ntask t {\n  command <<< echo >>>\n  runtime { docker: "quay.io/signed/tool:1" }\n}\n',
    );
    writeFileSync(join(folder, LOCK_FILE), JSON.stringify(lock));
    await promoted(lock, REGION);
    const proved = await verify(cli, folder, "--deep");
    expect(proved).toMatchObject({ code: 0, ok: true });
    expect(
      proved.referrers
        .map(({ digest, target, problems }) => ({ digest, target, problems }))
        .sort((a, b) => a.digest.localeCompare(b.digest)),
    ).toEqual(
      [sbom, ...signatures]
        .map(({ digest }) => digest)
        .sort()
        .map((digest) => ({ digest, target: `${hostOf(PRODUCTION)}/signed/tool@${index.digest}`, problems: [] })),
    );

    const late = await pushReferrer(at, index, { artifactType: "application/vnd.in-toto+json", content: noise("late", 50) });
    const lacking = await verify(cli, folder);
    expect([lacking.code, lacking.referrers.filter(({ problems }) => problems.length > 0)]).toEqual([
      1,
      [
        expect.objectContaining({
          digest: late.digest,
          type: "application/vnd.in-toto+json",
          problems: [`the manifest ${late.digest} is not there`],
        }),
      ],
    ]);
    const told = await cli.run("images", "verify", folder, "--profile", "cicd", "--production", "production");
    expect(told.stdout).toMatch(
      /✗ production: application\/vnd\.in-toto\+json of quay\.io\/signed\/tool:1 sha256:.*is not there[\s\S]*\n.*comes with the workflow's next one/,
    );
  },
  MS,
);

test(
  "where production reads the cicd account's images it has to be able to read what refers to them",
  async () => {
    using cli = cliAt(accounts);
    const { at, index, lock } = await staged("shared/tool");
    await pushReferrer(at, index, { artifactType: "application/spdx+json", content: noise("shared sbom", 400) });
    const file = join(cli.folder, LOCK_FILE);
    writeFileSync(file, JSON.stringify(lock));
    expect(await verify(cli, file)).toMatchObject({
      code: 0,
      referrers: [{ type: "application/spdx+json", target: lock.images[0]!.target, problems: [] }],
    });
    await mergeOnce(cicd.ecr, "shared/tool", [
      { ...accountStatement({ account: PRODUCTION, region: REGION }, `OmxAccount${PRODUCTION}`), Effect: "Deny" },
    ]);
    expect(await verify(cli, file)).toMatchObject({
      code: 1,
      referrers: [{ problems: [expect.stringMatching(/not authorized to perform: ecr:BatchGetImage .*shared\/tool/)] }],
    });
  },
  MS,
);
