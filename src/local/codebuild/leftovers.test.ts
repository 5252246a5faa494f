import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openCodeLab, type OwnCodeLab, spec } from "./testing/own-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnCodeLab;
beforeAll(async () => {
  lab = await openCodeLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("nothing secret is left of a build that has ended: neither what the log hides nor a login in its home", async () => {
  await new SecretsManagerClient(lab.accounts.config()).send(
    new CreateSecretCommand({ Name: "left-behind", SecretString: "never-to-be-found" }),
  );
  const phases = { build: { commands: ['mkdir "$HOME/.docker" && echo "$KEPT" > "$HOME/.docker/config.json"'] } };
  const { id = "", buildStatus } = await lab.built(spec(phases, { env: { "secrets-manager": { KEPT: "left-behind" } } }), {
    actions: ["secretsmanager:GetSecretValue"],
  });
  expect(buildStatus).toBe("SUCCEEDED");
  const folder = join(dirname(lab.accounts.configFile), "work/codebuild", id.replace(":", "-"));
  const secrets = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name), "utf8").includes("never-to-be-found"),
    );
  expect(existsSync(join(folder, "build.log"))).toBe(true);
  await expect.poll(secrets, { timeout: 60_000 }).toEqual([]);
});

test.skipIf(process.platform !== "linux")("no process is left of a build that has ended", async () => {
  const { exportedEnvironmentVariables } = await lab.built(
    spec({ build: { commands: ["sleep 900 > /dev/null 2>&1 &", "export LEFT=$!"] } }, { env: { "exported-variables": ["LEFT"] } }),
  );
  const pid = exportedEnvironmentVariables?.[0]?.value ?? "none";
  expect(pid).toMatch(/^\d+$/);
  await expect
    .poll(() => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("900"), { timeout: 60_000 })
    .toBe(false);
});
