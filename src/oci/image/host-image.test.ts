import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registryClient } from "../client/registry-client.ts";
import { startDockerRegistry } from "../testing/docker-registry.ts";
import { pushImage } from "./built-image.ts";
import type { BuiltImage } from "./built-image.ts";
import { readElf } from "./elf.ts";
import { assembleHostImage } from "./host-image.ts";

let folder: string;
let image: BuiltImage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omx-host-image-"));
  image = await assembleHostImage({ folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the same machine gives the same image", async () => {
  expect((await assembleHostImage({ folder })).digest).toBe(image.digest);
  expect(image.platform.os).toBe("linux");
});

test("tasks run in it: bash, coreutils, awk, gzip, ps, python3 with its library", () => {
  const root = join(folder, "root");
  execFileSync("mkdir", [root]);
  execFileSync("tar", ["-xf", join(folder, image.layers[0]?.descriptor.digest.replace(":", "-") ?? ""), "-C", root, "--no-same-owner"]);
  // A bare folder has no devices and no /proc: ps is asked for its libraries alone.
  execFileSync("touch", [join(root, "dev/null")]);
  const script = `python3 -c "import json,gzip,zlib,csv,random,hashlib,sqlite3,subprocess; print(json.dumps(gzip.decompress(gzip.compress(b'py')).decode()))" &&
    echo a b | awk '{ print $2 }' && echo packed | gzip | gunzip && find /etc -name passwd | xargs wc -l && id -un && { LD_TRACE_LOADED_OBJECTS=1 ps | grep -c 'not found' || true; } && stat -c %a /tmp && seq 3 | paste -sd+ | sed s/+/-/g`;
  const inside = ["chroot", root, "/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "bash", "-c", script];
  const [command = "", ...rest] = process.getuid?.() === 0 ? inside : ["unshare", "--map-root-user", ...inside];
  const lines = execFileSync(command, rest, { encoding: "utf8" }).trim().split("\n");
  expect(lines).toEqual(['"py"', "b", "packed", "2 /etc/passwd", "root", "0", "1777", "1-2-3"]);
});

test("it is pushed by our own client, once", async () => {
  await using registry = await startDockerRegistry();
  await using client = registryClient();
  const repository = client.repository({ registry: registry.host, repository: "omx/host" });
  expect(await pushImage(repository, "1", image)).toMatchObject({
    digest: image.digest,
    isNew: true,
    bytesMoved: image.sizeBytes,
  });
  expect(await pushImage(repository, "1", image)).toMatchObject({ isNew: false, bytesMoved: 0 });
  expect((await repository.getManifest("1"))?.digest).toBe(image.digest);
});

test("what programs need is read from their own headers", async () => {
  const elf = await readElf("/bin/bash");
  expect(elf?.interpreter).toMatch(/ld-(linux|musl)/);
  expect(elf?.needed.some((name) => name.startsWith("libc."))).toBe(true);
  expect(await readElf("/etc/passwd")).toBeUndefined();
});
