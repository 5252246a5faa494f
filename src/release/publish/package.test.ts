import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { afterEach, expect, test } from "vitest";
import { readProject } from "../project/project.ts";
import { packageDefinition } from "./package.ts";

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const WDL = "version 1.1\nworkflow demo {\n  input { File reads }\n  output { File same = reads }\n}\n";
const OMX =
  'name: demo\nversion: "1.0"\nmain: main.wdl\nexclude: ["notes/**"]\ntests:\n  - name: small\n    parameters: test/small.json\n    data: { reads: test/reads.fq }\n    expect: [{ output: same, sameContentAs: test/expected.fq }]\n';

/** A workflow repository with these files besides the definition and omx.yaml. */
function repository(files: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), "omx-package-"));
  folders.push(root);
  const tests = { "test/small.json": "{}", "test/reads.fq": "@r\n", "test/expected.fq": "@r\n" };
  for (const [path, body] of Object.entries({ "main.wdl": WDL, "omx.yaml": OMX, ...tests, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), body);
  }
  return root;
}

const packed = (root: string) => packageDefinition(readProject(root));

test("the same files are the same bytes, whenever they were written", () => {
  const [first, second] = [repository({ "bin/run.sh": "echo" }), repository({ "bin/run.sh": "echo" })];
  utimesSync(join(second, "main.wdl"), 1, 1);
  expect(packed(second).sha256).toBe(packed(first).sha256);
});

test("the same files are the same bytes in every time zone", () => {
  const root = repository();
  const script = `import { readProject } from "./src/release/project/project.ts"; import { packageDefinition } from "./src/release/publish/package.ts"; process.stdout.write(packageDefinition(readProject(${JSON.stringify(root)})).sha256)`;
  const inZone = (TZ: string) =>
    execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script], {
      cwd: join(import.meta.dirname, "../../.."),
      env: { ...process.env, TZ },
      encoding: "utf8",
    });
  expect(inZone("Pacific/Auckland")).toBe(packed(root).sha256);
  expect(inZone("America/Los_Angeles")).toBe(packed(root).sha256);
});

test("hidden files and a folder named build are part of the definition", () => {
  expect(packed(repository({ ".config/settings": "x", "build/tool.wdl": WDL, ".hidden": "x" })).files).toEqual(
    expect.arrayContaining([".config/settings", ".hidden", "build/tool.wdl"]),
  );
});

test("omx.yaml, what tests alone need, what is excluded and Git's folder are not", () => {
  expect(packed(repository({ "notes/a.txt": "x", ".git/HEAD": "ref: refs/heads/main" })).files).toEqual(["main.wdl"]);
});

test("programs stay executable", () => {
  const root = repository({ "bin/run.sh": "echo" });
  const before = packed(root);
  chmodSync(join(root, "bin/run.sh"), 0o755);
  const after = packed(root);
  expect(after.sha256).not.toBe(before.sha256);
  expect(Object.keys(unzipSync(after.zip)).sort()).toEqual(["bin/run.sh", "main.wdl"]);
});
