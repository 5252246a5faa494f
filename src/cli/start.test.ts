import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "main.ts");

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "omx-start-"));
  writeFileSync(
    join(folder, "trace.mjs"),
    `
    import { appendFileSync } from "node:fs";
    import { registerHooks } from "node:module";
    registerHooks({ load: (url, context, next) => (appendFileSync(process.env.TRACE, url + "\\n"), next(url, context)) });
  `,
  );
  writeFileSync(
    join(folder, "main.wdl"),
    'version 1.1\nworkflow hello { call say }\ntask say { command <<< echo hi >>> runtime { docker: "quay.io/lab/tool:1" } }\n',
  );
  writeFileSync(
    join(folder, "aws-config"),
    "[profile cicd]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:9\naws_access_key_id = a\naws_secret_access_key = b\n",
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The npm packages that a call of omx loads. Nothing answers where the local accounts should be. */
function packagesOf(...args: readonly string[]): ReadonlySet<string> {
  const trace = join(folder, "trace");
  writeFileSync(trace, "");
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, OMX_DATA: folder, TRACE: trace, AWS_MAX_ATTEMPTS: "1" };
  const { status, stderr } = spawnSync(process.execPath, ["--no-warnings", "--import", join(folder, "trace.mjs"), MAIN, ...args], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  expect(status, stderr).not.toBe(2);
  const names = readFileSync(trace, "utf8").matchAll(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//g);
  return new Set([...names].map(([, name = ""]) => name));
}

const clients = (packages: ReadonlySet<string>): readonly string[] =>
  [...packages].filter((name) => name.startsWith("@aws-sdk/client-")).toSorted();

test.each(["--help", "help images", "images pull --help", "release status --help", "local status", "local stop", "doctor --help"])(
  "omx %s loads commander and no other package",
  (line) => expect([...packagesOf(...line.split(" "))]).toEqual(["commander"]),
);

test("omx inspect loads neither the AWS SDK nor what checks omx.yaml", () => {
  const packages = packagesOf("inspect", "main.wdl");
  expect([...packages].filter((name) => /^(?:@aws|@smithy|zod$|undici$|hono$|aws-cdk)/.test(name))).toEqual([]);
});

test("a command that calls AWS loads the clients of the services that it calls", () => {
  expect(clients(packagesOf("images", "pull", "quay.io/lab/tool:1"))).toEqual(["@aws-sdk/client-ecr", "@aws-sdk/client-sts"]);
  expect(clients(packagesOf("release", "status", "hello"))).toEqual(["@aws-sdk/client-codepipeline", "@aws-sdk/client-sts"]);
});

test("bringing images loads neither zod nor the CDK", () => {
  const packages = packagesOf("images", "pull", "quay.io/lab/tool:1");
  expect([...packages].filter((name) => /^(?:zod|yaml|aws-cdk-lib|constructs)$/.test(name))).toEqual([]);
});
