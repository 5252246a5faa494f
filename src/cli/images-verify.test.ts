import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PRODUCTION } from "../local/testing/accounts.ts";
import { digestOf } from "../oci/digest.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { mergeOnce } from "../release/images/repositories/ensure-policies.ts";
import { productionStatements } from "../release/images/repositories/repository-policy.ts";
import { type ContainersLock } from "../release/images/lock/lock.ts";
import { type BuildLab, openBuildLab } from "./testing/build-lab.ts";
import { cliAt } from "./testing/in-process.ts";
import { project } from "./testing/project.ts";
import { release } from "./testing/released.ts";

const MS = 200_000;

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

test(
  "verify proves that ECR, the bundle and production hold the same bytes, and names what differs",
  async () => {
    using cli = cliAt(lab.accounts);
    await pushSample(lab.quay("verify/tool"), "1", { layers: [noise("verify", 300_000), noise("verify two", 5000)] });
    await pushSample(lab.quay("verify/other"), "1", { layers: [noise("verify other", 5000)] });
    const folder = project(cli, "verified", ["quay.io/verify/tool:1", "quay.io/verify/other:1"]);
    await cli.run("images", "pull", "quay.io/verify/tool:1", "quay.io/verify/other:1", ...lab.at, "--json");
    expect((await cli.run("images", "lock", folder, ...lab.at, "--json")).code).toBe(0);
    const lock = JSON.parse(readFileSync(join(folder, "containers.lock.json"), "utf8")) as ContainersLock;
    const bundle = await release(lab.accounts, { lock, workflow: "verified-release" });
    const verify = async (...args: readonly string[]) => {
      const ran = await cli.run("images", "verify", "--profile", "cicd", "--json", ...args);
      return {
        code: ran.code,
        ...ran.json<{
          ok: boolean;
          problems: readonly string[];
          images: readonly { view: string; hashedBytes: number; problems: readonly string[] }[];
        }>(),
      };
    };

    const shallow = await verify(folder);
    expect(shallow).toMatchObject({
      code: 0,
      ok: true,
      problems: [],
      images: [
        { view: "cicd", problems: [] },
        { view: "cicd", problems: [] },
      ],
    });
    expect(await verify(join(folder, "omx.yaml"))).toEqual(shallow);
    const deep = await verify(folder, "--deep");
    expect([shallow.images[0]!.hashedBytes < 10_000, deep.images[0]!.hashedBytes > 300_000]).toEqual([true, true]);

    const closed = await verify("--bundle", bundle, "--production", "production");
    expect([closed.code, closed.images.map(({ view, problems }) => [view, problems.length > 0])]).toEqual([
      1,
      [
        ["cicd", false],
        ["cicd", false],
        ["production", true],
        ["production", true],
      ],
    ]);
    expect(closed.images[2]!.problems[0]).toMatch(/refuses access.*not authorized/);

    const ecr = new ECRClient(lab.accounts.config());
    for (const name of ["tool", "other"])
      await mergeOnce(ecr, `quay/verify/${name}`, productionStatements({ account: PRODUCTION, region: "us-east-1" }));
    expect(await verify("--bundle", bundle, "--production", "production", "--deep")).toMatchObject({
      code: 0,
      ok: true,
      images: [{}, {}, { view: "production" }, {}],
    });

    const [tool, other] = lock.images as [(typeof lock.images)[number], (typeof lock.images)[number]];
    const wrong = await release(lab.accounts, { lock, workflow: "mapped-release", map: [{ ...tool, target: other.target }, other] });
    const mapped = await verify("--bundle", wrong, "--production", "production");
    expect([mapped.code, mapped.problems]).toEqual([
      1,
      [`version 1.0.0 in production: quay.io/verify/tool:1 is ${other.digest}, the lock says ${tool.digest}`],
    ]);

    const elsewhere = digestOf("nothing");
    writeFileSync(
      join(folder, "containers.lock.json"),
      JSON.stringify({ version: 1, images: [{ ...tool, digest: elsewhere, target: tool.target.replace(tool.digest, elsewhere) }] }),
    );
    const compared = await verify(folder, "--bundle", bundle, "--production", "production");
    expect(compared.images[0]!.problems).toEqual([`the manifest ${elsewhere} is not there`]);
    const forgotten = "the lock: quay.io/verify/other:1 is used and not in it; write it with `omx images lock`";
    expect(await verify(folder)).toMatchObject({ code: 1, ok: false, problems: [forgotten] });
    expect(compared.problems).toEqual([
      forgotten,
      `the bundle: quay.io/verify/tool:1 is ${tool.digest}, the lock says ${elsewhere}`,
      "the bundle: quay.io/verify/other:1 is in it, and not in the lock",
      `version 1.0.0 in production: quay.io/verify/tool:1 is ${tool.digest}, the lock says ${elsewhere}`,
    ]);
    expect((await cli.run("images", "verify", cli.folder, "--profile", "cicd")).stderr).toContain("omx images lock");
    const itself = await cli.run("images", "verify", folder, "--profile", "cicd", "--production", "approver");
    expect([itself.code, itself.stdout, itself.stderr]).toEqual([
      1,
      "",
      expect.stringContaining("--production approver is an identity of 111122223333 in us-east-1, which is the cicd account here"),
    ]);
  },
  MS,
);

test(
  "verify --deep finds a layer whose bytes have changed in the registry",
  async () => {
    using cli = cliAt(lab.accounts);
    const layer = noise("tampered", 20_000);
    await pushSample(lab.quay("tampered/tool"), "1", { layers: [layer] });
    const folder = project(cli, "tampered", ["quay.io/tampered/tool:1"]);
    await cli.run("images", "pull", "quay.io/tampered/tool:1", ...lab.at, "--json");
    expect((await cli.run("images", "lock", folder, ...lab.at, "--json")).code).toBe(0);
    const hex = digestOf(layer).slice("sha256:".length);
    const file = readdirSync(lab.accounts.dataDir, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith(hex))!;
    chmodSync(join(lab.accounts.dataDir, file), 0o644);
    writeFileSync(join(lab.accounts.dataDir, file), Buffer.concat([layer.subarray(0, -1), Buffer.from([layer.at(-1)! ^ 1])]));
    const shallow = await cli.run("images", "verify", folder, "--profile", "cicd");
    expect([shallow.code, shallow.stdout]).toEqual([0, expect.stringContaining("of layers their size was looked at, --deep reads them")]);
    const deep = await cli.run("images", "verify", folder, "--deep", "--profile", "cicd");
    expect([deep.code, deep.stdout]).toEqual([
      1,
      expect.stringMatching(/cicd: quay\.io\/tampered\/tool:1: sha256:.*sent other bytes than promised/),
    ]);
  },
  MS,
);
