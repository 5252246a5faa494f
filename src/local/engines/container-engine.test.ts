import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../kit/clock.ts";
import { openChildren } from "../children/children.ts";
import { openDatabase } from "../storage/database.ts";
import { findContainerEngine, pullImage } from "./container-engine.ts";

/** A machine on which these programs are the only engines. */
function machine(programs: Readonly<Record<string, string>>) {
  const dataDir = mkdtempSync(join(tmpdir(), "omx-engine-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(dataDir, name)), { recursive: true });
    writeFileSync(join(dataDir, name), text);
    chmodSync(join(dataDir, name), 0o755);
  };
  for (const [name, text] of Object.entries({ docker: "exit 1", podman: "exit 1", ...programs }))
    write(`bin/${name}`, `#!/bin/sh\n${text}\n`);
  const host = {
    children: openChildren(openDatabase(join(dataDir, "state.sqlite")), systemClock),
    clock: systemClock,
    dataDir,
    environment: { PATH: `${join(dataDir, "bin")}:/usr/bin:/bin`, HOME: dataDir },
  };
  return { host, write, text: (name: string) => readFileSync(join(dataDir, name), "utf8") };
}

test("the first engine that answers, by its right name: a `docker` may be Podman", async () => {
  // The beginning of what Podman 4.3.1 says.
  const podman = "printf 'host:\\n  arch: amd64\\n  buildahVersion: 1.28.2\\n'";
  expect(await findContainerEngine(machine({ docker: podman, podman }).host)).toBe("podman");
  expect(await findContainerEngine(machine({ docker: "echo 'Client:'", podman }).host)).toBe("docker");
  expect(await findContainerEngine(machine({}).host)).toBe("host");
});

test("an image is pulled by the Docker that the user's context means, with the login of the run alone", async () => {
  const { host, write, text } = machine({
    docker: '[ "$1 $2" = "image inspect" ] && exit 1\n[ "$1 $3" = "--config pull" ] || exit 1\ncp -r "$2" "$HOME/given"',
  });
  write(".docker/config.json", JSON.stringify({ currentContext: "mine", auths: { "quay.io": { auth: "secret" } } }));
  write(".docker/contexts/meta/1/meta.json", "{}");
  await pullImage(host, { program: "docker", reference: "127.0.0.1:1/tool@sha256:0", authorization: "b21pY3M6cnVu" });
  expect(JSON.parse(text("given/config.json"))).toEqual({ currentContext: "mine", auths: { "127.0.0.1:1": { auth: "b21pY3M6cnVu" } } });
  expect(text("given/contexts/meta/1/meta.json")).toBe("{}");
});
