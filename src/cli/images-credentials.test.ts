import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { guardedRegistry } from "../oci/testing/guarded-registry.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { type BuildLab, openBuildLab } from "./testing/build-lab.ts";
import { cliAt } from "./testing/in-process.ts";

const MS = 200_000;

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

test(
  "upstream credentials are those of docker login and its helpers, and nobody prints them",
  async () => {
    using cli = cliAt(lab.accounts);
    await pushSample(lab.quay("private/tool"), "1", { layers: [noise("private", 4000)] });
    const password = "s3cret-p4ss";
    await using guard = await guardedRegistry(lab.upstream.url, { username: "me", password });
    const { host } = guard;
    const refused = await cli.run("images", "pull", `${host}/private/tool:1`, "--profile", "cicd", "--json");
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining("refuses access")]);
    mkdirSync(join(cli.folder, ".docker"));
    writeFileSync(
      join(cli.folder, ".docker", "config.json"),
      JSON.stringify({ auths: { [host]: { auth: Buffer.from(`me:${password}`).toString("base64") } } }),
    );
    const pulled = await cli.run("images", "pull", `${host}/private/tool:1`, "--profile", "cicd", "--json");
    expect(pulled.code).toBe(0);
    const ofMirror = await cli.run(
      "images",
      "pull",
      "ghcr.io/private/tool:1",
      "--upstream",
      `ghcr.io=${guard.url}`,
      "--profile",
      "cicd",
      "--json",
    );
    expect(ofMirror.code).toBe(0);
    expect(`${refused.stdout}${refused.stderr}${pulled.stdout}${pulled.stderr}`).not.toContain(password);
  },
  MS,
);
