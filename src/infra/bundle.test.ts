import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { bundleHandlers } from "./bundle.ts";
import { INSTALL_NODE } from "./constructs/build-project.ts";

const root = join(import.meta.dirname, "../..");
const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "omx-bundle-"));
  folders.push(made);
  return made;
};
afterEach(() => folders.splice(0).forEach((each) => rmSync(each, { recursive: true, force: true })));

/** Every file below a folder, by its path there. */
function contents(of: string): Readonly<Record<string, string>> {
  const files = readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name).slice(of.length), readFileSync(join(parentPath, name), "utf8")]),
  );
}

test("the same sources are the same bundle wherever it is made: `cdk diff` is clean, and two may synthesize at once", () => {
  const [one, another] = [folder(), folder()];
  bundleHandlers(root, one);
  bundleHandlers(root, another);
  expect(Object.keys(contents(one))).toContain("/toolkit/omx-ci.mjs");
  expect(contents(another)).toEqual(contents(one));
});

/**
 * What Node 24 has and Node 22.19 has not, of the modules and globals that a program uses by name: the difference of the two
 * programs' own lists. Builds have a 22 of AWS's choice (codebuild/latest/userguide/runtime-versions.html).
 */
const NEWER: Readonly<Record<string, readonly string[]>> = {
  crypto: ["argon2", "argon2Sync", "decapsulate", "encapsulate", "randomUUIDv7"],
  fs: ["Utf8Stream", "mkdtempDisposableSync"],
  "fs/promises": ["mkdtempDisposable"],
  http: ["setGlobalProxyFromEnv"],
  net: ["BoundSocket"],
  perf_hooks: ["eventLoopUtilization", "timerify"],
  "stream/consumers": ["bytes"],
  tls: ["getCertificateCompressionAlgorithms"],
  url: ["URLPattern"],
  util: ["convertProcessSignalToExitCode"],
  worker_threads: ["locks", "threadName"],
};
const NEWER_CALLS =
  /\b(?:Promise\.try|RegExp\.escape|Error\.isError|Atomics\.pause|Math\.f16round)\(|new (?:Async)?DisposableStack\b|new URLPattern\b|new Float16Array\b/g;

test("the toolkit imports and calls nothing that a build's Node has not: it would not start", () => {
  const out = folder();
  bundleHandlers(root, out);
  const toolkit = Object.entries(contents(out))
    .filter(([name]) => name.startsWith("/toolkit/"))
    .map(([, text]) => text)
    .join("\n");
  const imports = [...toolkit.matchAll(/import\{([^{}]+)\}from"(?:node:)?([a-z_/]+)"/g)].map(([, names = "", module = ""]) => ({
    module,
    names: names.split(",").map((name) => name.split(" as ")[0] ?? ""),
  }));
  expect(imports.length).toBeGreaterThan(50);
  expect(
    imports.flatMap(({ module, names }) => names.filter((name) => NEWER[module]?.includes(name)).map((name) => `${module}: ${name}`)),
  ).toEqual([]);
  expect(toolkit.match(NEWER_CALLS) ?? []).toEqual([]);
});

test.each([
  ["v22.14.0", 1],
  ["v20.20.2", 1],
  ["v22.9.0", 1],
  ["v22.19.0", 0],
  ["v22.21.1", 0],
  ["v24.1.0", 0],
  ["v100.0.0", 0],
])("a build with Node %s ends with %i, and says what is missing", (version, status) => {
  const bin = folder();
  writeFileSync(join(bin, "node"), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
  const { commands } = INSTALL_NODE as { readonly commands: readonly string[] };
  const ended = spawnSync("bash", ["-c", commands.join("\n")], { encoding: "utf8", env: { PATH: `${bin}:/usr/bin:/bin` } });
  expect([ended.status, ended.stderr.includes(`has ${version}`)]).toEqual([status, status === 1]);
});
