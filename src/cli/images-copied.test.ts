import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BatchDeleteImageCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createRepository, hostOf, type RegistryUser, signIn } from "../local/ecr/testing/registry.ts";
import { CICD, PRODUCTION, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { mergeOnce } from "../release/images/repositories/ensure-policies.ts";
import { accountStatement } from "../release/images/repositories/repository-policy.ts";
import { cliAt } from "./testing/in-process.ts";

// Accounts of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let accounts: TestAccounts;
let cicd: RegistryUser;
let production: RegistryUser;
beforeAll(async () => {
  accounts = await startAccounts();
  [cicd, production] = [await signIn(accounts), await signIn(accounts, "production")];
});
afterAll(async () => {
  await cicd[Symbol.asyncDispose]();
  await production[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

test("verify without a bundle reads production's own copies where omx.yaml asks for copies, and tells which is gone", async () => {
  using cli = cliAt(accounts);
  const pushed = async (name: string) => {
    await createRepository(cicd.ecr, name);
    await createRepository(production.ecr, name);
    await mergeOnce(cicd.ecr, name, [accountStatement({ account: PRODUCTION, region: "us-east-1" }, "Production")]);
    const sample = { layers: [noise(name, 10_000)] };
    const { digest } = await pushSample(production.repository(name, PRODUCTION), "demo-1.0.0", sample);
    return {
      image: `quay.io/${name}:1`,
      source: `quay.io/${name}:1`,
      target: `${hostOf(CICD)}/${name}@${(await pushSample(cicd.repository(name), "1", sample)).digest}`,
      digest,
    };
  };
  const [kept, deleted] = [await pushed("kept"), await pushed("deleted")];
  const write = (folder: string, promote: string) => {
    mkdirSync(join(cli.folder, folder));
    writeFileSync(join(cli.folder, folder, "omx.yaml"), `name: demo\nversion: "1.0"\nimages: { promote: ${promote} }\n`);
    writeFileSync(join(cli.folder, folder, "containers.lock.json"), JSON.stringify({ version: 1, images: [kept, deleted] }));
    const task = ({ image }: { readonly image: string }, index: number) =>
      `task t${index} {\n  command <<< echo >>>\n  runtime { docker: "${image}" }\n}\n`;
    writeFileSync(
      join(cli.folder, folder, "main.wdl"),
      `version 1.0\nworkflow w {\n  call t0\n  call t1\n}\n${[kept, deleted].map(task).join("")}`,
    );
    return join(cli.folder, folder);
  };
  const verify = async (path: string) => {
    const ran = await cli.run("images", "verify", path, "--profile", "cicd", "--production", "production", "--json");
    const { images } = ran.json<{ images: readonly { target: string; problems: readonly string[] }[] }>();
    return { code: ran.code, accounts: images.map(({ target }) => target.slice(0, 12)), problems: images.map(({ problems }) => problems) };
  };
  const copied = write("copied", "copy");
  expect(await verify(copied)).toEqual({ code: 0, accounts: [CICD, CICD, PRODUCTION, PRODUCTION], problems: [[], [], [], []] });
  await production.ecr.send(new BatchDeleteImageCommand({ repositoryName: "deleted", imageIds: [{ imageDigest: deleted.digest }] }));
  const gone = [[], [], [], [`the manifest ${deleted.digest} is not there`]];
  expect([await verify(copied), await verify(join(copied, "containers.lock.json"))]).toMatchObject([
    { code: 1, problems: gone },
    { code: 1, problems: gone },
  ]);
  expect(await verify(write("shared", "share"))).toMatchObject({ code: 0, accounts: [CICD, CICD, CICD, CICD] });
});
