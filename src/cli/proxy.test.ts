import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { forwardProxy } from "../oci/testing/forward-proxy.ts";
import { noise } from "../oci/testing/sample-images.ts";
import { type ImageLab, openImageLab } from "../release/images/testing/image-lab.ts";
import { cliAt } from "./testing/in-process.ts";

// What a user behind the proxy of a hospital or a university asks goes through it, and to this machine nothing does.

let lab: ImageLab;
beforeAll(async () => void (lab = await openImageLab()), 60_000);
afterAll(() => lab?.[Symbol.asyncDispose](), 60_000);

const PULL = ["--profile", "cicd", "--upstream", "quay.io=http://registry.test", "--json"];

test("images come through the proxy, with its password; the local accounts are asked directly", async () => {
  await lab.push("proxied/tool", noise("proxied", 20_000));
  await using proxy = await forwardProxy({ "registry.test": lab.upstream.url }, "me:secret");
  using cli = cliAt(lab.accounts, { inherited: { HTTP_PROXY: proxy.url.replace("//", "//me:secret@") } });
  const { code, stdout, stderr } = await cli.run("images", "pull", "quay.io/proxied/tool:1", ...PULL);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/PULLED +quay\.io\/proxied\/tool:1/)]);
  expect(proxy.asked.filter((one) => one.includes("proxied/tool"))).not.toEqual([]);
  expect(proxy.asked.filter((one) => !one.includes("registry.test"))).toEqual([]);
  expect(stdout + stderr).not.toContain("secret");
});

test("a proxy that does not let through is told as such, once and without its password", async () => {
  await using proxy = await forwardProxy({});
  using cli = cliAt(lab.accounts, { inherited: { HTTPS_PROXY: proxy.url.replace("//", "//me:secret@") } });
  const { code, stdout, stderr } = await cli.run(
    "images",
    "pull",
    "quay.io/a/b:1",
    "--profile",
    "cicd",
    "--upstream",
    "quay.io=https://registry.test",
    "--json",
  );
  expect([code, stdout]).toEqual([
    1,
    expect.stringMatching(/the proxy of this network answers 403 instead of connecting there.*HTTPS_PROXY/),
  ]);
  expect(proxy.asked).toEqual(["CONNECT registry.test:443"]);
  expect(stdout + stderr).not.toContain("secret");
});

test("AWS is asked through the proxy", async () => {
  await using proxy = await forwardProxy({});
  const environment = {
    PATH: process.env["PATH"] ?? "",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_REGION: "us-east-1",
    https_proxy: proxy.url,
  };
  const omx = spawn(process.execPath, [join(import.meta.dirname, "../../bin/omx"), "images", "list"], {
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = text(omx.stderr);
  await once(omx, "close");
  expect([omx.exitCode, await said]).toEqual([1, expect.stringContaining("sts.us-east-1.amazonaws.com")]);
  expect(new Set(proxy.asked)).toEqual(new Set(["CONNECT sts.us-east-1.amazonaws.com:443"]));
});
