import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSourceLab, scratch, type SourceLab, tarGz, zipEntry } from "../testing/source-lab.ts";
import { hashSource } from "./source-files.ts";

let lab: SourceLab;
beforeAll(async () => {
  lab = await openSourceLab();
}, 120_000);
afterAll(() => lab?.[Symbol.asyncDispose](), 120_000);

/** As Info-ZIP writes it in a locale without UTF-8: the same names, and no word of what they are written in (APPNOTE, general purpose bit 11). */
function withoutFlag(zip: Uint8Array): Buffer {
  const bytes = Buffer.from(zip);
  for (const [header, flags] of [
    ["PK\x03\x04", 6],
    ["PK\x01\x02", 8],
  ] as const)
    for (let at = bytes.indexOf(header); at >= 0; at = bytes.indexOf(header, at + 1))
      bytes.writeUInt16LE(bytes.readUInt16LE(at + flags) & ~0x800, at + flags);
  return bytes;
}

const item = { source_uri: "", target_image: "", dockerfile: "Dockerfile", build_args: {} };

describe("one source is one source, however it is packed and whoever made it", () => {
  const files = {
    Dockerfile: "FROM scratch\nCOPY . /\n",
    "run.sh": "#!/bin/sh\n",
    "Ä/ß.txt": "umlaut",
    "z/y/x": "deep",
    b: "",
    "a-b": "1",
    "a.b": "2",
    "a/b": "3",
  };
  function copy({ umask, reversed, time }: { readonly umask: number; readonly reversed: boolean; readonly time: number }): string {
    const folder = scratch();
    const before = process.umask(umask);
    try {
      for (const [name, text] of reversed ? Object.entries(files).toReversed() : Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
        if (name === "run.sh") chmodSync(join(folder, name), 0o755 & ~umask);
        utimesSync(join(folder, name), time, time);
      }
      symlinkSync("z/y", join(folder, "link"));
    } finally {
      process.umask(before);
    }
    return folder;
  }

  test("two copies of different umask, order, owner and time, a ZIP, tarballs and a prefix have one hash", async () => {
    const [one, two] = [copy({ umask: 0o077, reversed: false, time: 1 }), copy({ umask: 0o002, reversed: true, time: 1_000_000_000 })];
    if (process.getuid?.() === 0) execFileSync("chown", ["-R", "1234:5678", two]);
    const hash = await hashSource(one, item);
    expect(await hashSource(two, item)).toBe(hash);
    mkdirSync(join(two, ".git"));
    writeFileSync(join(two, ".git", "HEAD"), "ref");
    expect(await hashSource(two, item)).toBe(hash);
    const tar = join(scratch(), "x.tar.gz");
    execFileSync("tar", ["-czf", tar, "--exclude=.git", "-C", two, "."], { env: { ...process.env, LC_ALL: "C" } });
    const zipped = zipSync({
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [name, zipEntry(text, name === "run.sh" ? 0o100700 : 0o100600)])),
      link: zipEntry("z/y", 0o120777),
    });
    for (const uri of [
      await lab.put("same.tgz", readFileSync(tar)),
      await lab.put("same.zip", zipped),
      await lab.put("bytes.zip", withoutFlag(zipped)),
    ]) {
      const { folder, failure } = await lab.fetched(uri);
      expect(failure).toBeUndefined();
      expect(await hashSource(folder, item)).toBe(hash);
      expect(readlinkSync(join(folder, "link"))).toBe("z/y");
    }
  });

  test.each<readonly [string, (folder: string) => void]>([
    ["a byte", (folder) => writeFileSync(join(folder, "b"), "x")],
    ["what may be executed", (folder) => chmodSync(join(folder, "b"), 0o755)],
    ["a name", (folder) => writeFileSync(join(folder, "c"), "")],
    ["an empty folder", (folder) => mkdirSync(join(folder, "z", "empty"))],
    [
      "where a link leads",
      (folder) => {
        rmSync(join(folder, "link"));
        symlinkSync("z", join(folder, "link"));
      },
    ],
    [
      "a link for its file",
      (folder) => {
        rmSync(join(folder, "a-b"));
        symlinkSync("a.b", join(folder, "a-b"));
      },
    ],
  ])("%s makes another", async (_, change) => {
    const folder = copy({ umask: 0o022, reversed: false, time: 1 });
    const before = await hashSource(folder, item);
    change(folder);
    expect(await hashSource(folder, item)).not.toBe(before);
  });

  test("a second name of a file in a tarball is a file of the same content; a Dockerfile behind a link counts", async () => {
    const tarball = await tarGz([
      { name: "x", text: "twice", mode: 0o755 },
      { name: "sub/y", type: "link", linkname: "x" },
      { name: "Dockerfile", type: "symlink", linkname: "docker/Dockerfile" },
      { name: "docker/Dockerfile", text: "FROM scratch\n" },
      { name: ".dockerignore", text: "docker\n" },
    ]);
    const { folder } = await lab.fetched(await lab.put("hard.tar.gz", tarball));
    expect([readFileSync(join(folder, "sub/y"), "utf8"), statSync(join(folder, "sub/y")).mode & 0o777]).toEqual(["twice", 0o755]);
    const hash = await hashSource(folder, item);
    writeFileSync(join(folder, "docker/Dockerfile"), "FROM scratch\nENV A=1\n");
    expect(await hashSource(folder, item)).not.toBe(hash);
  });

  test("what no name in UTF-8 has, is encrypted or is not packed as its name says, is told", async () => {
    const folder = copy({ umask: 0o022, reversed: false, time: 1 });
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), "x");
    await expect(hashSource(folder, item)).rejects.toThrow("the name of caf\uFFFD in the source is not in UTF-8");
    const encrypted = Buffer.from(zipSync({ Dockerfile: Buffer.from("x") }));
    // The flag of its entry in the archive's directory.
    encrypted.writeUInt16LE(1, encrypted.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02])) + 8);
    expect((await lab.fetched(await lab.put("secret.zip", encrypted))).failure).toContain("Dockerfile is encrypted");
    expect((await lab.fetched(await lab.put("plain.tar.gz", Buffer.alloc(1024)))).failure).toContain("it is not packed by gzip");
  });

  test("an argument, a stage, a platform and the Dockerfile's name make another, their order does not", async () => {
    const folder = copy({ umask: 0o022, reversed: false, time: 1 });
    const hashes = await Promise.all(
      [
        {},
        { build_args: { A: "1" } },
        { build_args: { A: "2" } },
        { target: "x" },
        { platforms: ["linux/arm64"] },
        { platforms: ["linux/amd64", "linux/arm64"] },
        { platforms: ["linux/amd64", "linux/386"] },
        { dockerfile: "run.sh" },
      ].map((more) => hashSource(folder, { ...item, ...more })),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(await hashSource(folder, { ...item, build_args: { B: "2", A: "1" } })).toBe(
      await hashSource(folder, { ...item, build_args: { A: "1", B: "2" } }),
    );
    expect(await hashSource(folder, { ...item, platforms: ["linux/amd64"] })).toBe(hashes[0]);
  });
});

describe("what .dockerignore leaves out does not make another", () => {
  const withIgnore = (files: Readonly<Record<string, string>>): string => {
    const folder = scratch();
    for (const [name, text] of Object.entries({ Dockerfile: "FROM scratch\nCOPY . /\n", "a.txt": "a", "notes/x.md": "x", ...files })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  };
  const ignore = { ".dockerignore": "# ours\nnotes\nDockerfile\n.dockerignore\n" };
  const hashOf = (files: Readonly<Record<string, string>>, more = {}) => hashSource(withIgnore(files), { ...item, ...more });

  test("a file that is left out may change, come and go", async () => {
    const hash = await hashOf(ignore);
    expect(await hashOf({ ...ignore, "notes/x.md": "y" })).toBe(hash);
    expect(await hashOf({ ...ignore, "notes/deep/z.md": "new" })).toBe(hash);
    expect(await hashOf({ ...ignore, "a.txt": "b" })).not.toBe(hash);
    expect(await hashOf({ "notes/x.md": "y" })).not.toBe(await hashOf({}));
  });

  test("the Dockerfile and .dockerignore count wherever they are left out", async () => {
    const hash = await hashOf(ignore);
    expect(await hashOf({ ...ignore, Dockerfile: "FROM scratch\nCOPY a.txt /\n" })).not.toBe(hash);
    expect(await hashOf({ ...ignore, ".dockerignore": `${ignore[".dockerignore"]}# more\n` })).not.toBe(hash);
    const own = { "sub/x.Dockerfile": "FROM scratch\n", "sub/x.Dockerfile.dockerignore": "sub\nnotes\n", ".dockerignore": "a.txt\n" };
    const owned = await hashOf(own, { dockerfile: "./sub/x.Dockerfile" });
    expect(await hashOf({ ...own, "notes/x.md": "y" }, { dockerfile: "./sub/x.Dockerfile" })).toBe(owned);
    for (const change of [
      { "sub/x.Dockerfile": "FROM scratch\nENV A=1\n" },
      { "sub/x.Dockerfile.dockerignore": "sub\n" },
      { "a.txt": "b" },
    ])
      expect(await hashOf({ ...own, ...change }, { dockerfile: "./sub/x.Dockerfile" })).not.toBe(owned);
  });

  test("a pattern that is not whole is told with its line", async () => {
    await expect(hashOf({ ".dockerignore": "a\n[bc\n" })).rejects.toThrow(".dockerignore:2: [bc is not a pattern: a [ has no ] at its end");
  });
});
