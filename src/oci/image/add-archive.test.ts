import { gzipSync, zstdCompressSync } from "node:zlib";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import type { Header } from "tar-stream";
import { describe, expect, test } from "vitest";
import { build, built, listing } from "../testing/build-fixtures.ts";

type Member = Partial<Header> & { readonly name: string; readonly text?: string };

async function tarOf(members: readonly Member[]): Promise<Buffer> {
  const archive = pack();
  for (const { text = "", ...header } of members)
    archive.entry({ mtime: new Date(0), ...header }, (header.type ?? "file") === "file" ? text : "");
  archive.finalize();
  return buffer(archive);
}
const file = (name: string, text = name, more: Partial<Header> = {}): Member => ({ name, text, ...more });
const folder = (name: string, more: Partial<Header> = {}): Member => ({ name, type: "directory", mode: 0o755, ...more });
const link = (name: string, linkname: string): Member => ({ name, type: "symlink", linkname });
const hardLink = (name: string, linkname: string): Member => ({ name, type: "link", linkname, mode: 0o640, uid: 4 });

/** What lies in a base: folders of their own modes, links, files. */
const BASE = [
  folder("opt", { mode: 0o700, uid: 3 }),
  folder("opt/sub", { mode: 0o711 }),
  file("opt/old", "old", { mode: 0o600, uid: 9, gid: 8 }),
  link("opt/link", "sub"),
  link("opt/absolute", "/usr/x"),
  folder("usr/x"),
  link("way", "opt/sub"),
  folder("opt/full"),
  file("opt/full/a"),
  file("opt/file"),
];

/** What is in the image after one ADD onto the base. */
async function added(instruction: string, members: readonly Member[]): Promise<Record<string, string>> {
  return listing(
    await built({
      Dockerfile: `FROM scratch\nADD base.tar /\n${instruction}\n`,
      "base.tar": await tarOf(BASE),
      "x.tar": await tarOf(members),
      "a.txt": "a",
    }),
  );
}

// Each of these was compared with BuildKit 0.23.2, file by file.
describe("ADD unpacks as Docker does", () => {
  test.each<readonly [string, string, readonly Member[], Readonly<Record<string, string>>, readonly string[]]>([
    [
      "folders that are there take the archive's modes and owners",
      "ADD x.tar /",
      [folder("opt", { mode: 0o750, uid: 5 }), folder("opt/sub", { mode: 0o1777 }), file("opt/sub/n", "n", { mode: 0o4755 })],
      { "/opt/": "750 5:0", "/opt/sub/": "1777 0:0", "/opt/sub/n": "4755 0:0 n" },
      [],
    ],
    [
      "but the one it is unpacked to",
      "ADD x.tar /opt",
      [folder("./", { mode: 0o777 }), file("./n")],
      { "/opt/": "700 3:0", "/opt/n": "644 0:0 ./n" },
      [],
    ],
    [
      "a folder that is not there is made",
      "ADD x.tar /new/place",
      [file("deep/n", "n")],
      { "/new/": "755 0:0", "/new/place/": "755 0:0", "/new/place/deep/": "755 0:0", "/new/place/deep/n": "644 0:0 n" },
      [],
    ],
    ["a destination that is a link leads", "ADD x.tar /way/", [file("n")], { "/opt/sub/n": "644 0:0 n", "/way": "777 0:0 -> opt/sub" }, []],
    ["links on the way lead", "ADD x.tar /opt", [file("link/n", "n")], { "/opt/sub/n": "644 0:0 n", "/opt/link": "777 0:0 -> sub" }, []],
    ["from the root of the archive", "ADD x.tar /", [file("opt/absolute/n", "n")], { "/usr/x/n": "644 0:0 n" }, []],
    ["its own links too", "ADD x.tar /opt", [folder("r"), link("q", "r"), file("q/n", "n")], { "/opt/r/n": "644 0:0 n" }, []],
    [
      "a folder takes the place of a link",
      "ADD x.tar /opt",
      [folder("link"), file("link/n", "n")],
      { "/opt/link/": "755 0:0", "/opt/link/n": "644 0:0 n" },
      ["/opt/sub/n"],
    ],
    [
      "a file that of a folder with all in it",
      "ADD x.tar /opt",
      [file("full", "f")],
      { "/opt/full": "644 0:0 f" },
      ["/opt/full/", "/opt/full/a"],
    ],
    [
      "also of one that it brought itself",
      "ADD x.tar /opt",
      [folder("e"), file("e/f"), file("e", "f")],
      { "/opt/e": "644 0:0 f" },
      ["/opt/e/", "/opt/e/f"],
    ],
    [
      "names that climb stay below",
      "ADD x.tar /opt",
      [file("../up", "u"), file("a/../../up2", "u"), file("/abs", "u")],
      { "/opt/up": "644 0:0 u", "/opt/up2": "644 0:0 u", "/opt/abs": "644 0:0 u" },
      ["/up", "/up2", "/abs"],
    ],
    [
      "hard links to files of the archive, and to those that were there",
      "ADD x.tar /opt",
      [file("n", "n"), hardLink("m", "n"), hardLink("k", "./old"), hardLink("j", "/full/a")],
      { "/opt/n": "640 4:0 n", "/opt/m": "640 4:0 n", "/opt/k": "640 4:0 old", "/opt/old": "640 4:0 old", "/opt/j": "640 4:0 opt/full/a" },
      [],
    ],
    [
      "devices and pipes",
      "ADD x.tar /dev",
      [
        { name: "null", type: "character-device", devmajor: 1, devminor: 3, mode: 0o666 },
        { name: "sda", type: "block-device", devmajor: 8, devminor: 1, mode: 0o660 },
        { name: "pipe", type: "fifo", mode: 0o600 },
      ],
      { "/dev/null": "666 0:0 character-device 1,3", "/dev/sda": "660 0:0 block-device 8,1", "/dev/pipe": "600 0:0 fifo 0,0" },
      [],
    ],
    [
      "--chown is for all of it, --chmod for none",
      "ADD --chown=7:8 --chmod=700 x.tar /q/",
      [file("n", "n", { uid: 5 }), folder("e")],
      { "/q/": "755 7:8", "/q/n": "644 7:8 n", "/q/e/": "755 7:8" },
      [],
    ],
    ["beside other sources", "ADD x.tar a.txt /opt/", [file("n")], { "/opt/n": "644 0:0 n", "/opt/a.txt": "644 0:0 a" }, []],
  ])("%s", async (_, instruction, members, expected, gone) => {
    const found = await added(instruction, members);
    expect(found).toMatchObject(expected);
    for (const path of gone) expect(found).not.toHaveProperty([path]);
  });

  test("packed by gzip or zstd, of the oldest form too; what only begins so is copied", async () => {
    const archive = await tarOf([file("n")]);
    const oldest = Buffer.from(archive);
    oldest.fill(0, 257, 265);
    oldest.write("        ", 148);
    oldest.write(
      `${oldest
        .subarray(0, 512)
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    const image = await built({
      Dockerfile: "FROM scratch\nADD a.gz /a/\nADD b.zst /b/\nADD c.tar /c/\nADD d.gz /d/\n",
      "a.gz": gzipSync(archive),
      "b.zst": zstdCompressSync(archive),
      "c.tar": oldest,
      "d.gz": "\u001f\u008bno",
    });
    expect(Object.keys(await listing(image))).toEqual(["/a/", "/a/n", "/b/", "/b/n", "/c/", "/c/n", "/d/", "/d/d.gz"]);
  });
});

describe("ADD refuses with the line", () => {
  const refused = async (members: readonly Member[], options = {}) => {
    const files = {
      Dockerfile: "FROM scratch\nADD base.tar /\nADD x.tgz /opt/\n",
      "base.tar": await tarOf(BASE),
      "x.tgz": gzipSync(await tarOf(members)),
    };
    return build(files, options).then(
      (outcome) => (outcome.kind === "needsEngine" ? `needs an engine at ${outcome.line}: ${outcome.reason}` : "built"),
      (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
    );
  };
  const unpackLimits = { bytes: 1024 ** 2, entries: 20 };

  test("what unpacks to too much, each archive by itself or all of them together", async () => {
    const [mib, half] = ["0".repeat(1024 ** 2), "0".repeat(600 * 1024)];
    expect(await refused([file("zeros", mib)], { unpackLimits })).toBe(
      "DockerfileError: Dockerfile:3: x.tgz unpacks to more than 1 MiB or 20 files",
    );
    expect(
      await refused(
        Array.from({ length: 11 }, (_, index) => file(`f${index}`)),
        { unpackLimits },
      ),
    ).toContain("or 20 files");
    const files = { "x.tgz": gzipSync(await tarOf([file("half", half)])) };
    await expect(build({ ...files, Dockerfile: "FROM scratch\nADD x.tgz /a/\nADD x.tgz /b/\n" }, { unpackLimits })).rejects.toThrow(
      "Dockerfile:3: x.tgz unpacks to more",
    );
    expect(await build({ ...files, Dockerfile: "FROM scratch\nADD x.tgz /a/\nCOPY x.tgz /b/\n" }, { unpackLimits })).toMatchObject({
      kind: "built",
    });
  });

  test.each<readonly [string, readonly Member[], string]>([
    ["a name that takes files away", [file(".wh.old", "")], "DockerfileError: Dockerfile:3: /opt/.wh.old: a layer can't hold names"],
    [
      "a hard link to nothing",
      [hardLink("m", "nothing")],
      "DockerfileError: Dockerfile:3: x.tgz: m is a hard link to nothing, which is neither",
    ],
    ["a hard link to a folder", [hardLink("m", "sub")], "DockerfileError: Dockerfile:3: x.tgz: m is a hard link to sub, a folder"],
    [
      "a link to nothing on the way",
      [file("absolute/n")],
      "DockerfileError: Dockerfile:3: x.tgz: absolute/n lies below absolute, a link that leads to no folder",
    ],
    ["a file on the way", [file("file/n")], "DockerfileError: Dockerfile:3: /opt/file is not a folder"],
    [
      "an extended attribute",
      [file("n", "n", { pax: { "SCHILY.xattr.security.capability": "x" } })],
      "needs an engine at 3: ADD of x.tgz needs Docker, Podman or Buildah: it has SCHILY.xattr.security.capability for n",
    ],
  ])("%s", async (_, members, message) => expect(await refused(members)).toContain(message));

  test("one that is cut off", async () => {
    const whole = gzipSync(await tarOf([file("a", "text".repeat(500)), file("b")]), { level: 0 });
    await expect(build({ Dockerfile: "FROM scratch\nADD x.tgz /\n", "x.tgz": whole.subarray(0, 1500) })).rejects.toThrow(
      /^Dockerfile:2: x\.tgz can't be unpacked: /,
    );
  });

  test("one whose destination is a file", async () => {
    const files = {
      Dockerfile: "FROM scratch\nADD base.tar /\nADD x.tgz /opt/file\n",
      "base.tar": await tarOf(BASE),
      "x.tgz": gzipSync(await tarOf([file("n")])),
    };
    await expect(build(files)).rejects.toThrow("Dockerfile:3: /opt/file is a file; x.tgz cannot be unpacked there");
  });

  test("a COPY of names that take files away, and one below a file", async () => {
    await expect(build({ Dockerfile: "FROM scratch\nCOPY d /d\n", "d/.wh.x": "" })).rejects.toThrow(
      "Dockerfile:2: /d/.wh.x: a layer can't hold names",
    );
    await expect(build({ Dockerfile: "FROM scratch\nCOPY a /a\nCOPY a /a/b\n", a: "a" })).rejects.toThrow(
      "Dockerfile:3: /a is not a folder",
    );
  });
});

test("COPY --from takes devices and pipes along", async () => {
  const image = await built({
    Dockerfile: "FROM scratch AS one\nADD x.tar /dev\nFROM scratch\nCOPY --from=one /dev /dev\n",
    "x.tar": await tarOf([
      { name: "null", type: "character-device", devmajor: 1, devminor: 3, mode: 0o666 },
      { name: "pipe", type: "fifo", mode: 0o600 },
    ]),
  });
  expect(await listing(image)).toEqual({
    "/dev/": "755 0:0",
    "/dev/null": "666 0:0 character-device 1,3",
    "/dev/pipe": "600 0:0 fifo 0,0",
  });
});
