import { expect, test } from "vitest";
import { hasDocker, runDemoProcess } from "./demo.ts";

test.runIf(hasDocker())(
  "a release whose tasks run in containers says so in its evidence",
  async () => {
    await using demo = await runDemoProcess(["--containers", "docker"]);
    expect(demo.result).toMatchObject({ ok: true, containers: "docker" });
    expect(demo.result.releases.map(({ version }) => version)).toEqual(["1.0.0", "1.0.1"]);
  },
  1_200_000,
);
