import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { DeployConfig } from "../release/project/deploy-config.ts";
import { RICH, synthesize } from "./testing/templates.ts";

const ROOT = join(import.meta.dirname, "../..");
const cfnLint = [process.env["OMX_CFN_LINT"], "cfn-lint"].find(
  (program) => program && spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0,
);

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "omx-cfn-lint-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.runIf(cfnLint)(
  "cfn-lint has nothing to say of any template",
  async () => {
    const own = DeployConfig.parse(parse(readFileSync(join(ROOT, "omx.deploy.yaml"), "utf8")));
    const templates = [...synthesize(join(folder, "own"), own), ...synthesize(join(folder, "rich"), RICH)];
    expect(templates.length).toBeGreaterThanOrEqual(9);
    // W3005 is a DependsOn that a reference implies already: the CDK writes them everywhere.
    const said = await new Promise<string>((resolve) => {
      execFile(cfnLint ?? "cfn-lint", ["--ignore-checks", "W3005", "--format", "parseable", "--", ...templates], (error, stdout, stderr) =>
        resolve(`${stdout}${stderr}${error && !stdout ? error.message : ""}`),
      );
    });
    expect(said.replaceAll(`${folder}/`, "")).toBe("");
  },
  300_000,
);
