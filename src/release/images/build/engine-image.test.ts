import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { expect, onTestFinished, test } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { memoryBlob, noise } from "../../../oci/testing/sample-images.ts";
import { takeImage } from "./engine-image.ts";

/** An engine that saves what it is given, as `docker save` does, and where its images are taken to. */
async function savedBy(names: Readonly<Record<string, Buffer | string>>) {
  const folder = mkdtempSync(join(tmpdir(), "omx-saved-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const tar = pack();
  for (const [name, content] of Object.entries(names)) {
    if (typeof content === "string") tar.entry({ name, type: "symlink", linkname: content });
    else tar.entry({ name }, content);
  }
  tar.finalize();
  writeFileSync(join(folder, "prepared.tar"), await buffer(tar));
  mkdirSync(join(folder, "bin"));
  writeFileSync(
    join(folder, "bin", "docker"),
    `#!/bin/sh\n[ "$1 $2 $4" = "save --output sha256:it" ] || exit 1\nexec cp ${folder}/prepared.tar "$3"\n`,
  );
  chmodSync(join(folder, "bin", "docker"), 0o755);
  return {
    engine: { program: "docker", env: { PATH: `${join(folder, "bin")}:${process.env["PATH"]}` }, onLine: () => undefined } as const,
    id: "sha256:it",
    folder: join(folder, "work"),
  };
}

const [base, own, packed] = [noise("base", 3000), noise("own", 5000), noise("packed", 4000)];
const configOf = (...layers: readonly Buffer[]) =>
  Buffer.from(
    JSON.stringify({
      architecture: "386",
      os: "linux",
      made: "by an engine",
      rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) },
    }),
  );
const listOf = (config: string, ...layers: readonly string[]) =>
  Buffer.from(JSON.stringify([{ Config: config, RepoTags: null, Layers: layers }]));

test("an image comes out of an engine as it is: what is packed stays so, what a registry has is not packed, a layer that is there twice is one", async () => {
  const config = configOf(base, own, packed, own);
  const saved = await savedBy({
    "base.tar": base,
    "link.tar": "own.tar",
    "own.tar": own,
    "blobs/sha256/packed": gzipSync(packed, { level: 1 }),
    "config.json": config,
    "manifest.json": listOf("config.json", "base.tar", "own.tar", "blobs/sha256/packed", "link.tar"),
  });
  const known = {
    descriptor: { mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", digest: "sha256:known", size: 1 },
    diffId: digestOf(base),
    source: memoryBlob(base),
    origin: { registry: "quay.io", repository: "lab/base" },
  };
  const image = await takeImage({ ...saved, known: new Map([[known.diffId, known]]) });
  expect([image.platform, image.configBlob.blob.digest]).toEqual([{ os: "linux", architecture: "386" }, digestOf(config)]);
  expect(image.layers[0]).toBe(known);
  expect(image.layers[3]).toBe(image.layers[1]);
  const [, plain, kept] = await Promise.all(
    image.layers.map(async ({ source, descriptor, origin }) => {
      if (origin) return undefined;
      const bytes = await buffer(source.read());
      expect([descriptor.digest, descriptor.size]).toEqual([`sha256:${createHash("sha256").update(bytes).digest("hex")}`, bytes.length]);
      return bytes;
    }),
  );
  expect(gunzipSync(plain!).equals(own)).toBe(true);
  expect(kept!.equals(gzipSync(packed, { level: 1 }))).toBe(true);
  expect(existsSync(join(saved.folder, "saved.tar"))).toBe(false);
});

test("an image that an engine did not save whole is no image", async () => {
  const config = configOf(own);
  const known = new Map<string, never>();
  await expect(
    takeImage({ ...(await savedBy({ "other.tar": packed, c: config, "manifest.json": listOf("c", "other.tar") })), known }),
  ).rejects.toThrow(/saved the layer sha256:\w+ as sha256:/);
  await expect(takeImage({ ...(await savedBy({ c: config, "manifest.json": listOf("c", "own.tar") })), known })).rejects.toThrow(
    `docker saved an image without its ${digestOf(own)}`,
  );
  await expect(takeImage({ ...(await savedBy({ "own.tar": own, "manifest.json": listOf("c", "own.tar") })), known })).rejects.toThrow(
    "docker saved an image without its c",
  );
  await expect(takeImage({ ...(await savedBy({ c: config })), known })).rejects.toThrow("an archive without an image");
  await expect(takeImage({ ...(await savedBy({})), id: "sha256:gone", known })).rejects.toThrow("docker save ended with exit status 1");
});
