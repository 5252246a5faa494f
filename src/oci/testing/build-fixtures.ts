import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import type { BaseImage, ResolveBase } from "../image/base-image.ts";
import { buildImage } from "../image/build.ts";
import type { BuildOptions } from "../image/build.ts";
import { imageOf } from "../image/built-image.ts";
import type { BuiltImage } from "../image/built-image.ts";
import { LayerFiles } from "../image/layer-files.ts";
import { writeLayer } from "../image/layer.ts";
import { fileOf } from "../image/tar-writer.ts";
import type { LayerEntry } from "../image/tar-writer.ts";

/** A folder that goes with the test. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "omx-build-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A build context of these files; a name that ends in `*` is executable. */
export async function contextOf(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await scratch();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name.replace("*", ""));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await chmod(path, name.endsWith("*") ? 0o775 : 0o640);
  }
  return folder;
}

export const noBase: ResolveBase = (image) => Promise.reject(new Error(`${image.repository} is not there`));

export async function build(files: Readonly<Record<string, string | Buffer>>, options: Partial<BuildOptions> = {}) {
  const context = await contextOf(files);
  return buildImage({ context, folder: await scratch(), resolveBase: noBase, ...options });
}

/** The image of a build that needs no engine. */
export async function built(files: Readonly<Record<string, string | Buffer>>, options: Partial<BuildOptions> = {}): Promise<BuiltImage> {
  const outcome = await build(files, options);
  if (outcome.kind !== "built") throw new Error(`${outcome.line}: ${outcome.reason}`);
  return outcome.image;
}

/** What lies in an image: `path` → mode, owner and content or link. */
export async function listing(image: Pick<BuiltImage, "layers">): Promise<Record<string, string>> {
  const files = new LayerFiles(await scratch());
  const tree = await files.tree(image.layers);
  const listed: Record<string, string> = {};
  for (const [path, node] of tree.below("")) {
    if (!node.entry) continue;
    await files.fetch([node.entry]);
    const { mode, uid = 0, gid = 0 } = node.entry;
    const what =
      node.entry.kind === "file"
        ? await text(node.entry.open() as AsyncIterable<Uint8Array>)
        : node.entry.kind === "symlink"
          ? `-> ${node.entry.linkTarget}`
          : node.entry.kind === "special"
            ? `${node.entry.type} ${node.entry.major},${node.entry.minor}`
            : "";
    listed[`/${path}${node.kind === "directory" ? "/" : ""}`] = `${mode.toString(8)} ${uid}:${gid} ${what}`.trim();
  }
  return listed;
}

/** A base like Debian's: /bin is a link to usr/bin, /tmp is sticky, there is a user. */
export async function debianLike(): Promise<BaseImage> {
  const folder = await scratch();
  const lower: readonly LayerEntry[] = [
    { kind: "directory", path: "usr/bin", mode: 0o755 },
    { kind: "symlink", path: "bin", mode: 0o777, linkTarget: "usr/bin" },
    { kind: "directory", path: "tmp", mode: 0o1777 },
    { kind: "directory", path: "gone", mode: 0o755 },
    fileOf("gone/file", "x"),
    fileOf("etc/passwd", "root:x:0:0::/:/bin/sh\nbio:x:1001:1002::/:/bin/sh\n"),
    fileOf("etc/group", "lab:x:2000:\n"),
    fileOf("usr/bin/tool", "tool", 0o755),
  ];
  const layers = [
    await writeLayer(lower, { folder, random: systemRandom }),
    await writeLayer([fileOf(".wh.gone", "")], { folder, random: systemRandom }),
  ];
  const config = {
    Env: ["PATH=/usr/bin", "OLD=1"],
    Cmd: ["sh"],
    Labels: { from: "base" },
    OnBuild: ["LABEL triggered=yes"],
  };
  return {
    config: imageOf({ platform: { os: "linux", architecture: "arm64" }, config, history: [], layers }).config,
    layers,
  };
}
