import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { firstOf } from "./credentials.ts";
import { dockerConfigCredentials } from "./docker-config.ts";

test("Docker's configuration: passwords, identity tokens and credential programs", async () => {
  const folder = await mkdtemp(join(tmpdir(), "omx-docker-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const program = join(folder, "docker-credential-omx-test");
  await writeFile(
    program,
    '#!/bin/sh\nread host || true\ncase "$host" in vault.example) echo "{\\"Username\\":\\"v\\",\\"Secret\\":\\"s\\"}";; *) echo "credentials not found in native keychain"; exit 1;; esac\n',
  );
  await chmod(program, 0o755);
  const config = join(folder, "config.json");
  await writeFile(
    config,
    JSON.stringify({
      auths: {
        "https://index.docker.io/v1/": { auth: Buffer.from("hub:pass:word").toString("base64") },
        "ghcr.io": { identitytoken: "id" },
      },
      credHelpers: { "vault.example": "../../omx-test", "other.example": "omx-no-such" },
    }),
  );
  const provider = firstOf(dockerConfigCredentials(join(folder, "absent.json")), dockerConfigCredentials(config));
  expect(await provider("docker.io")).toEqual({ kind: "password", username: "hub", password: "pass:word" });
  expect(await provider("ghcr.io")).toEqual({ kind: "identityToken", token: "id" });
  expect(await provider("quay.io")).toBeUndefined();
  // A name with a path would run any program.
  expect(await provider("vault.example")).toBeUndefined();
  await expect(provider("other.example")).rejects.toThrow("docker-credential-omx-no-such");
});
