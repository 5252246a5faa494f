import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSourceLab, type SourceLab, type TarEntry, tarGz, zipEntry } from "../testing/source-lab.ts";

let lab: SourceLab;
beforeAll(async () => {
  lab = await openSourceLab();
}, 120_000);
afterAll(() => lab?.[Symbol.asyncDispose](), 120_000);

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
    const { failure } = await lab.fetched(
      await lab.put(`${name.replaceAll(" ", "-")}.tar.gz`, await tarGz([{ name: "Dockerfile", text: "FROM scratch\n" }, ...entries])),
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
    expect((await lab.fetched(await lab.put(`${name.replaceAll(" ", "-")}.zip`, zipSync(entries)))).failure).toMatch(message);
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
      expect((await lab.fetched(await lab.put(key, body), limits)).failure, key).toMatch(/unpacks to more than|too many bytes/);
    await lab.put("prefix/zeros", zeros);
    expect((await lab.fetched("s3://sources/prefix/", limits)).failure).toMatch(/unpacks to more than/);
    expect((await lab.fetched(await lab.put("noise.zip", zipSync({ zeros: [Buffer.from(zeros), { level: 0 }] })), limits)).failure).toMatch(
      /unpacks to more than/,
    );
    // An archive is put on disk before it is known to be one.
    expect((await lab.fetched(await lab.put("no-archive.zip", zeros), limits)).failure).toMatch(/unpacks to more than/);
    const half = { name: "half", text: zeros.slice(0, zeros.length / 4) };
    expect(
      (
        await lab.fetched(
          await lab.put("hard-links.tgz", await tarGz([half, link("same", "half", "link"), link("again", "half", "link")])),
          limits,
        )
      ).failure,
    ).toMatch(/unpacks to more than/);
  });

  test("too many files, folders or links are refused", async () => {
    const many = (of: (index: number) => TarEntry) => tarGz(Array.from({ length: 11 }, (_, index) => of(index)));
    for (const [key, body] of [
      ["files.tgz", await many((index) => file(`f${index}`))],
      ["folders.tgz", await many((index) => ({ name: `d${index}`, type: "directory" }))],
      ["links.tgz", await many((index) => link(`l${index}`, "x"))],
    ] as const)
      expect((await lab.fetched(await lab.put(key, body), limits)).failure, key).toMatch(/more than 1 MiB or 10 files/);
  });

  test("two names of one file are both told, and one that is there twice", async () => {
    await lab.put("twice/a//b", "1");
    await lab.put("twice/a/b", "2");
    expect((await lab.fetched("s3://sources/twice")).failure).toMatch(/a\/\/b and a\/b are the same file/);
    for (const [key, entries, message] of [
      ["twice.tgz", [file("x"), file("x")], /x is in it twice/],
      ["dotted.tgz", [file("x"), file("./x")], /x and \.\/x are the same file/],
      ["linked.tgz", [link("x", "y"), file("x")], /x is in it twice/],
    ] as const)
      expect((await lab.fetched(await lab.put(key, await tarGz(entries)))).failure).toMatch(message);
    expect(
      (
        await lab.fetched(
          await lab.put(
            "twice-a-folder.tgz",
            await tarGz([{ name: "d", type: "directory" }, file("d/x"), { name: "./d/", type: "directory" }]),
          ),
        )
      ).failure,
    ).toBeUndefined();
    expect(
      (await lab.fetched(await lab.put("dotted.zip", zipSync({ x: zipEntry("1", 0o100644), "./x": zipEntry("2", 0o100644) })))).failure,
    ).toMatch(/x and \.\/x are the same file/);
  });

  test("a prefix: keys that climb, and an object where a folder is needed", async () => {
    await lab.put("climb/../evil", "x");
    expect((await lab.fetched("s3://sources/climb/")).failure).toMatch(/would leave/);
    await lab.put("clash/x", "x");
    await lab.put("clash/x/y", "y");
    expect((await lab.fetched("s3://sources/clash")).failure).toMatch(/can't be built: E/);
    await lab.put("marked/", "");
    await lab.put("marked/Dockerfile", "FROM scratch\n");
    const { folder, failure } = await lab.fetched("s3://sources/marked");
    expect([failure, readFileSync(join(folder, "Dockerfile"), "utf8")]).toEqual([undefined, "FROM scratch\n"]);
    await lab.put("marked/data/", "bytes");
    expect((await lab.fetched("s3://sources/marked")).failure).toMatch(/data\/ is a folder by its name, and holds 5 bytes/);
    for (let index = 0; index < 11; index++) await lab.put(`folders/${index}/`, "");
    expect((await lab.fetched("s3://sources/folders", limits)).failure).toMatch(/more than 1 MiB or 10 files/);
    await lab.put("only-folders/x/", "");
    expect((await lab.fetched("s3://sources/only-folders")).failure).toMatch(/nothing lies there/);
  });
});
