import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pythonWithBoto3 } from "../src/local/omics/testing/boto.ts";

/** What some tests need beside Node, Python and git, and how the machine is asked for it. */
const NEEDS: readonly Need[] = [
  { name: "a Docker engine", isThere: () => answers("docker", ["info"]), install: "apt-get install docker.io, then start dockerd" },
  { name: "docker-registry", isThere: () => answers("docker-registry", ["--version"]), install: "apt-get install docker-registry" },
  { name: "skopeo", isThere: () => answers("skopeo", ["--version"]), install: "apt-get install skopeo" },
  {
    name: "crane and regctl",
    isThere: () => ["crane", "regctl"].every((program) => answers(program, ["version"])),
    install:
      "go install github.com/google/go-containerregistry/cmd/crane@latest github.com/regclient/regclient/cmd/regctl@latest, one by one",
  },
  { name: "Chromium", isThere: () => answers("chromium", ["--version"]), install: "apt-get install chromium" },
  {
    name: "the AWS CLI (OMX_AWS_CLI)",
    isThere: () => answers(process.env["OMX_AWS_CLI"] ?? "aws", ["--version"]),
    install: "pip install awscli in a Python environment, then OMX_AWS_CLI=ENVIRONMENT/bin/aws",
  },
  {
    name: "cfn-lint (OMX_CFN_LINT)",
    isThere: () => existsSync(process.env["OMX_CFN_LINT"] ?? "") || answers("cfn-lint", ["--version"]),
    install: "pip install cfn-lint in a Python environment, then OMX_CFN_LINT=ENVIRONMENT/bin/cfn-lint",
  },
  {
    name: "a network of its own (Linux)",
    isThere: () => answers("unshare", ["--net", "--mount", "--map-root-user", "true"]),
    install: "run as root or allow unprivileged user namespaces; util-linux has unshare",
  },
  {
    name: "a small disk of its own (Linux, root)",
    isThere: () => answers("sh", ["-c", 'folder=$(mktemp -d) && mount -t tmpfs tmpfs "$folder" && umount "$folder" && rmdir "$folder"']),
    install: "run as root, where mounting is allowed",
  },
  {
    name: "the AWS CLI 2, for `logs tail` (OMX_AWS_CLI_2)",
    isThere: () =>
      [process.env["OMX_AWS_CLI_2"], process.env["OMX_AWS_CLI"], "aws"].some(
        (program) => program && versionOf(program).startsWith("aws-cli/2"),
      ),
    install: "version 2 of the AWS CLI, then OMX_AWS_CLI_2=PATH/aws",
  },
  { name: "Podman, for tasks in its containers", isThere: () => answers("podman", ["info"]), install: "apt-get install podman" },
  { name: "Buildah, for builds with RUN", isThere: () => answers("buildah", ["--version"]), install: "apt-get install buildah" },
  {
    name: "boto3 (OMX_BOTO3_PYTHON)",
    isThere: () => pythonWithBoto3() !== undefined,
    install: "pip install 'boto3>=1.44' in a Python environment, then OMX_BOTO3_PYTHON=ENVIRONMENT/bin/python",
  },
];

interface Need {
  readonly name: string;
  isThere(): boolean;
  /** The one thing to do about it. */
  readonly install: string;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

function answers(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore", timeout: 60_000 }).status === 0;
}

function versionOf(program: string): string {
  return spawnSync(program, ["--version"], { encoding: "utf8", timeout: 20_000 }).stdout ?? "";
}

const missing = NEEDS.filter((need) => !need.isThere());
const report = join(mkdtempSync(join(tmpdir(), "omx-test-")), "report.json");
const args = [
  "node_modules/vitest/vitest.mjs",
  "run",
  "--reporter=dot",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
];
const run = spawnSync(process.execPath, args, {
  stdio: "inherit",
  env: { ...process.env, OMX_TEST_MISSING: missing.map((need) => need.name).join(",") },
});
if (run.error) throw run.error;

const result = JSON.parse(readFileSync(report, "utf8")) as VitestReport;
// A file that could not be loaded has no tests to count; it is a failure all the same.
const broken = result.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
for (const file of broken) process.stdout.write(`could not be run: ${file.name}\n`);
for (const need of missing) process.stdout.write(`NOT RUN: tests that need ${need.name} (${need.install})\n`);
const isStrict = process.env["CI"] !== undefined && process.env["CI"] !== "";
const failed = result.numFailedTests + broken.length + (isStrict ? missing.length + result.numPendingTests : 0);
process.stdout.write(`${result.numPassedTests} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || run.status !== 0 ? 1 : 0;
