import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipSync, type Zippable } from "fflate";
import { type Header, pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isPassing } from "../../../aws/passing.ts";
import { startAccounts, type TestAccounts } from "../../../local/testing/accounts.ts";
import { faultProxy } from "../../../oci/testing/fault-proxy.ts";
import { ReleaseError } from "../../errors.ts";
import { hashSource } from "./source-files.ts";
import { fetchSource } from "./source-folder.ts";

let accounts: TestAccounts;
let s3: S3Client;
beforeAll(async () => {
  accounts = await startAccounts();
  s3 = new S3Client(accounts.config());
  await s3.send(new CreateBucketCommand({ Bucket: "sources" }));
}, 120_000);
afterAll(() => accounts?.[Symbol.asyncDispose](), 120_000);

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "omx-source-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function put(Key: string, Body: Uint8Array | string): Promise<string> {
  await s3.send(new PutObjectCommand({ Bucket: "sources", Key, Body: Buffer.from(Body) }));
  return `s3://sources/${Key}`;
}

type TarEntry = Partial<Header> & { readonly name: string } & { readonly text?: string };
async function tarGz(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text = "", ...header } of entries) tar.entry(header, header.type === undefined || header.type === "file" ? text : "");
  tar.finalize();
  return gzipSync(await buffer(tar));
}

/** Unpacks below a folder whose parent is looked at afterwards. */
async function fetched(
  uri: string,
  limits?: NonNullable<Parameters<typeof fetchSource>[3]>["limits"],
): Promise<{ readonly folder: string; readonly failure: string | undefined }> {
  const root = scratch();
  const folder = join(root, "a", "context");
  const failure = await fetchSource(s3, uri, folder, limits && { limits }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure !== undefined) expect(failure).toBeInstanceOf(ReleaseError);
  expect([existsSync(join(root, "evil")), existsSync(join(root, "a", "evil"))]).toEqual([false, false]);
  return { folder, failure: (failure as Error | undefined)?.message };
}

const zipEntry = (text: string, mode: number): Zippable[string] => [Buffer.from(text), { os: 3, attrs: (mode << 16) >>> 0 }];

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
      await put("same.tgz", readFileSync(tar)),
      await put("same.zip", zipped),
      await put("bytes.zip", withoutFlag(zipped)),
    ]) {
      const { folder, failure } = await fetched(uri);
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
    const { folder } = await fetched(await put("hard.tar.gz", tarball));
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
    expect((await fetched(await put("secret.zip", encrypted))).failure).toContain("Dockerfile is encrypted");
    expect((await fetched(await put("plain.tar.gz", Buffer.alloc(1024)))).failure).toContain("it is not packed by gzip");
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

describe("E36: nothing leaves its folder", () => {
  const file = (name: string): TarEntry => ({ name, text: "evil" });
  const link = (name: string, linkname: string, type: "symlink" | "link" = "symlink"): TarEntry => ({ name, linkname, type });
  test.each<readonly [string, readonly TarEntry[], RegExp]>([
    ["a name that climbs", [file("../evil")], /would leave/],
    ["a name that climbs later", [file("x/../../evil")], /would leave/],
    ["an absolute name", [file("/tmp/omx-evil")], /would leave/],
    ["a name beside the folder that begins like it", [file("../context-evil")], /would leave/],
    ["a link to what lies beside the folder", [link("x", "../context-evil")], /leads out/],
    ["a folder that climbs", [{ name: "../evil", type: "directory" }], /would leave/],
    ["a link that climbs", [link("x", "../evil")], /leads out/],
    ["an absolute link", [link("x", "/etc")], /leads out/],
    ["a file below a link", [link("x", ".."), file("x/evil")], /leads out/],
    ["a link through a link", [link("s/t/u", "../../.."), link("v", "s/t/u/../..")], /leads out/],
    ["a hard link", [file("x"), link("y", "../../evil", "link")], /would leave/],
    ["a hard link to a file of the machine", [link("y", "/etc/passwd", "link")], /would leave/],
    ["a hard link to what is not there yet", [link("y", "x", "link"), file("x")], /y is a hard link to x, which is no file before it/],
    ["a hard link to a link", [link("s", "x"), file("x"), link("y", "s", "link")], /which is no file before it/],
    ["a device", [{ name: "null", type: "character-device", devmajor: 1, devminor: 3 }], /character-device/],
    ["a disk", [{ name: "sda", type: "block-device", devmajor: 8, devminor: 0 }], /block-device/],
    ["a pipe", [{ name: "pipe", type: "fifo" }], /fifo/],
    ["a file in place of a folder", [file("x"), file("x/y")], /can't be built: (?:ENOTDIR|EEXIST)[^/]*'x(?:\/y)?'/],
    ["a link in place of a folder", [file("x/y"), link("x", "z")], /EEXIST/],
  ])("%s of a tarball is refused", async (name, entries, message) => {
    const { failure } = await fetched(
      await put(`${name.replaceAll(" ", "-")}.tar.gz`, await tarGz([{ name: "Dockerfile", text: "FROM scratch\n" }, ...entries])),
    );
    expect(failure).toMatch(message);
    expect(existsSync("/tmp/omx-evil")).toBe(false);
  });

  test.each<readonly [string, Zippable, RegExp]>([
    ["a name that climbs", { "../evil": zipEntry("x", 0o100644) }, /relative path|would leave/],
    ["an absolute name", { "/tmp/omx-evil": zipEntry("x", 0o100644) }, /absolute path|would leave/],
    ["a backslash", { "..\\evil": zipEntry("x", 0o100644) }, /character|relative path|would leave/],
    ["a link that climbs", { x: zipEntry("../evil", 0o120777) }, /leads out/],
    ["an absolute link", { x: zipEntry("/etc/passwd", 0o120777) }, /leads out/],
    ["a link of a book's length", { x: zipEntry("a/".repeat(5000), 0o120777) }, /10000 bytes/],
  ])("%s of a ZIP is refused", async (name, entries, message) => {
    expect((await fetched(await put(`${name.replaceAll(" ", "-")}.zip`, zipSync(entries)))).failure).toMatch(message);
    expect(existsSync("/tmp/omx-evil")).toBe(false);
  });

  const limits = { bytes: 1024 ** 2, entries: 10 };
  const zeros = "0".repeat(2 * 1024 ** 2);
  test("what unpacks to too much is refused, whatever it says of itself", async () => {
    const honest = zipSync({ zeros: Buffer.from(zeros) });
    const lying = Buffer.from(honest);
    for (const header of [Buffer.from("PK\u0001\u0002"), Buffer.from("PK\u0003\u0004")])
      lying.writeUInt32LE(10, lying.indexOf(header) + (header[2] === 1 ? 24 : 22));
    for (const [key, body] of [
      ["zeros.zip", honest],
      ["lying.zip", lying],
      ["zeros.tgz", await tarGz([{ name: "zeros", text: zeros }])],
    ] as const)
      expect((await fetched(await put(key, body), limits)).failure, key).toMatch(/unpacks to more than|too many bytes/);
    await put("prefix/zeros", zeros);
    expect((await fetched("s3://sources/prefix/", limits)).failure).toMatch(/unpacks to more than/);
    expect((await fetched(await put("noise.zip", zipSync({ zeros: [Buffer.from(zeros), { level: 0 }] })), limits)).failure).toMatch(
      /unpacks to more than/,
    );
    // An archive is put on disk before it is known to be one.
    expect((await fetched(await put("no-archive.zip", zeros), limits)).failure).toMatch(/unpacks to more than/);
    const half = { name: "half", text: zeros.slice(0, zeros.length / 4) };
    expect(
      (await fetched(await put("hard-links.tgz", await tarGz([half, link("same", "half", "link"), link("again", "half", "link")])), limits))
        .failure,
    ).toMatch(/unpacks to more than/);
  });

  test("too many files, folders or links are refused", async () => {
    const many = (of: (index: number) => TarEntry) => tarGz(Array.from({ length: 11 }, (_, index) => of(index)));
    for (const [key, body] of [
      ["files.tgz", await many((index) => file(`f${index}`))],
      ["folders.tgz", await many((index) => ({ name: `d${index}`, type: "directory" }))],
      ["links.tgz", await many((index) => link(`l${index}`, "x"))],
    ] as const)
      expect((await fetched(await put(key, body), limits)).failure, key).toMatch(/more than 1 MiB or 10 files/);
  });

  test("two names of one file are both told, and one that is there twice", async () => {
    await put("twice/a//b", "1");
    await put("twice/a/b", "2");
    expect((await fetched("s3://sources/twice")).failure).toMatch(/a\/\/b and a\/b are the same file/);
    for (const [key, entries, message] of [
      ["twice.tgz", [file("x"), file("x")], /x is in it twice/],
      ["dotted.tgz", [file("x"), file("./x")], /x and \.\/x are the same file/],
      ["linked.tgz", [link("x", "y"), file("x")], /x is in it twice/],
    ] as const)
      expect((await fetched(await put(key, await tarGz(entries)))).failure).toMatch(message);
    expect(
      (
        await fetched(
          await put(
            "twice-a-folder.tgz",
            await tarGz([{ name: "d", type: "directory" }, file("d/x"), { name: "./d/", type: "directory" }]),
          ),
        )
      ).failure,
    ).toBeUndefined();
    expect(
      (await fetched(await put("dotted.zip", zipSync({ x: zipEntry("1", 0o100644), "./x": zipEntry("2", 0o100644) })))).failure,
    ).toMatch(/x and \.\/x are the same file/);
  });

  test("a prefix: keys that climb, and an object where a folder is needed", async () => {
    await put("climb/../evil", "x");
    expect((await fetched("s3://sources/climb/")).failure).toMatch(/would leave/);
    await put("clash/x", "x");
    await put("clash/x/y", "y");
    expect((await fetched("s3://sources/clash")).failure).toMatch(/can't be built: E/);
    await put("marked/", "");
    await put("marked/Dockerfile", "FROM scratch\n");
    const { folder, failure } = await fetched("s3://sources/marked");
    expect([failure, readFileSync(join(folder, "Dockerfile"), "utf8")]).toEqual([undefined, "FROM scratch\n"]);
    await put("marked/data/", "bytes");
    expect((await fetched("s3://sources/marked")).failure).toMatch(/data\/ is a folder by its name, and holds 5 bytes/);
    for (let index = 0; index < 11; index++) await put(`folders/${index}/`, "");
    expect((await fetched("s3://sources/folders", limits)).failure).toMatch(/more than 1 MiB or 10 files/);
    await put("only-folders/x/", "");
    expect((await fetched("s3://sources/only-folders")).failure).toMatch(/nothing lies there/);
  });
});

describe("a connection to S3 that breaks", () => {
  const large = randomBytes(3_000_000);
  const sources = async () => [
    await put(
      "cut.tar.gz",
      await tarGz([
        { name: "Dockerfile", text: "FROM scratch\n" },
        { name: "large", text: large.toString("base64") },
      ]),
    ),
    await put("cut.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\n"), large: Buffer.from(large.toString("base64")) })),
    (await put("cut/large", large.toString("base64"))).replace("large", ""),
  ];
  async function through(decide: Parameters<typeof faultProxy>[1], uri: string): Promise<string | undefined> {
    await using proxy = await faultProxy(accounts.url, decide);
    const folder = join(scratch(), "context");
    await fetchSource(new S3Client({ ...accounts.config(), endpoint: proxy.url }), uri, folder);
    return readFileSync(join(folder, "large"), "utf8");
  }

  test("a source is read on from where it broke, however it is packed", async () => {
    for (const uri of await sources())
      for (const cut of [
        { kind: "cut", afterBytes: 1 },
        { kind: "cut", afterBytes: 1_000_000 },
      ] as const)
        expect(
          (await through(
            ({ path, headers }) => (path.includes("/cut") && headers.range === undefined && !path.includes("list-type") ? cut : undefined),
            uri,
          )) === large.toString("base64"),
        ).toBe(true);
  }, 60_000);

  test("one that breaks again and again is told as such, to be tried again, and never as the archive's fault", async () => {
    for (const uri of await sources())
      for (const again of [{ kind: "cut", afterBytes: 0 }, { kind: "reset" }] as const) {
        const failure = await through(
          ({ path, headers }) =>
            path.includes("list-type") ? undefined : headers.range === undefined ? { kind: "cut", afterBytes: 500_000 } : again,
          uri,
        ).catch((error: unknown) => error);
        expect(failure).toMatchObject({
          name: "ObjectCutShort",
          message: expect.stringMatching(/^s3:\/\/sources\/cut\S*: the connection broke again and again after \d+ bytes/),
        });
        expect(isPassing(failure)).toBe(true);
      }
  }, 60_000);
});
