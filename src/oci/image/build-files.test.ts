import { execFileSync } from "node:child_process";
import { rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { build, built, contextOf, debianLike, listing, noBase, scratch } from "../testing/build-fixtures.ts";
import { buildImage } from "./build.ts";
import { parseDockerignore } from "./dockerignore.ts";

test("COPY from scratch: files, folders, patterns, modes without the umask", async () => {
  const image = await built({
    Dockerfile:
      "FROM scratch\nCOPY run.sh /app/\nCOPY src /app/src\nCOPY a.txt b.txt d?ta/*.csv /data/\nCOPY a.txt /renamed\nWORKDIR /lab\nCOPY b.txt .\n",
    "run.sh*": "run",
    "src/deep/x.py": "x",
    "src/y.py": "y",
    "a.txt": "a",
    "b.txt": "b",
    "data/1.csv": "1",
    "data/2.tsv": "2",
  });
  expect(await listing(image)).toEqual({
    "/app/": "755 0:0",
    "/app/run.sh": "755 0:0 run",
    "/app/src/": "755 0:0",
    "/app/src/deep/": "755 0:0",
    "/app/src/deep/x.py": "644 0:0 x",
    "/app/src/y.py": "644 0:0 y",
    "/data/": "755 0:0",
    "/data/a.txt": "644 0:0 a",
    "/data/b.txt": "644 0:0 b",
    "/data/1.csv": "644 0:0 1",
    "/renamed": "644 0:0 a",
    "/lab/": "755 0:0",
    "/lab/b.txt": "644 0:0 b",
  });
});

test("onto a base: its links lead, its folders keep their modes, its whiteouts hold", async () => {
  const base = await debianLike();
  const image = await built(
    {
      Dockerfile:
        "FROM debian\nCOPY x /bin/\nCOPY x /tmp/\nCOPY x /usr/bin\nCOPY --chown=bio:lab x /home/bio/x\nCOPY --chown=7 --chmod=600 x /y\nCOPY --chown=bio x /z\n",
      x: "x",
    },
    { resolveBase: () => Promise.resolve(base) },
  );
  const found = await listing(image);
  expect(found).toMatchObject({
    "/bin": "777 0:0 -> usr/bin",
    "/usr/bin/x": "644 0:0 x",
    "/usr/bin/tool": "755 0:0 tool",
    "/tmp/": "1777 0:0",
    "/tmp/x": "644 0:0 x",
    "/home/": "755 1001:2000",
    "/home/bio/": "755 1001:2000",
    "/home/bio/x": "644 1001:2000 x",
    "/y": "600 7:7 x",
    "/z": "644 1001:1002 x",
  });
  expect(Object.keys(found).filter((path) => path.startsWith("/gone") || path.startsWith("/bin/"))).toEqual([]);
  expect(image.platform.architecture).toBe("arm64");
  expect(image.layers).toHaveLength(base.layers.length + 6);
});

test("a folder that is there keeps its mode as destination, and takes the source's below it", async () => {
  const base = await debianLike();
  const files = { "over/tmp/x": "x", "over/usr/y": "y", "links/bin/z": "z", "file/etc": "e", "deep/etc/w/v": "v" };
  const image = async (lines: string) =>
    listing(await built({ ...files, Dockerfile: `FROM debian\n${lines}\n` }, { resolveBase: () => Promise.resolve(base) }));
  expect(await image("COPY over/tmp /tmp\nCOPY links/bin /bin")).toMatchObject({
    "/tmp/": "1777 0:0",
    "/tmp/x": "644 0:0 x",
    "/bin": "777 0:0 -> usr/bin",
    "/usr/bin/z": "644 0:0 z",
  });
  expect(await image("COPY --chown=6 over /")).toMatchObject({
    "/tmp/": "755 6:6",
    "/tmp/x": "644 6:6 x",
    "/usr/": "755 6:6",
    "/usr/bin/": "755 0:0",
  });
  await expect(image("COPY links /")).rejects.toThrow("Dockerfile:2: /bin is a link to usr/bin; a folder cannot be copied over it");
  await expect(image("COPY file /")).rejects.toThrow("Dockerfile:2: /etc is a folder; a file cannot take its place");
  await expect(image("COPY file/etc /n/etc\nCOPY deep /n")).rejects.toThrow(
    "Dockerfile:3: /n/etc is a file; a folder cannot be copied over it",
  );
});

test("folders that a COPY or WORKDIR makes are the user's that it is for, as BuildKit has it", async () => {
  const base = await debianLike();
  const image = await built(
    { Dockerfile: "FROM debian\nCOPY --chown=5:6 d /new/deep/d\nUSER bio\nWORKDIR /job/mine\nCOPY d/x .\n", "d/x": "x" },
    { resolveBase: () => Promise.resolve(base) },
  );
  expect(await listing(image)).toMatchObject({
    "/new/": "755 5:6",
    "/new/deep/": "755 5:6",
    "/new/deep/d/": "755 5:6",
    "/job/": "755 1001:1002",
    "/job/mine/": "755 1001:1002",
    "/job/mine/x": "644 0:0 x",
  });
});

test("from other stages and images, of which only those needed are built", async () => {
  const base = await debianLike();
  const image = await built(
    {
      Dockerfile: [
        "ARG TAG=12",
        "FROM debian:$TAG AS tools",
        "COPY x /opt/mine/x",
        "FROM tools AS unused",
        "RUN make",
        "FROM scratch AS Out",
        "COPY --from=tools /opt/mine /opt/mine",
        "COPY --from=TOOLS /bin/tool /bin/",
        "COPY --from=debian:12 /etc/p* /etc/",
        "FROM unused",
        "RUN test",
      ].join("\n"),
      x: "x",
    },
    {
      target: "out",
      resolveBase: (ref) => (ref.tag === "12" ? Promise.resolve(base) : noBase(ref, { os: "", architecture: "" })),
    },
  );
  expect(Object.keys(await listing(image))).toEqual(["/bin/", "/bin/tool", "/etc/", "/etc/passwd", "/opt/", "/opt/mine/", "/opt/mine/x"]);
  expect((await listing(image))["/bin/tool"]).toBe("755 0:0 tool");
});

test(".dockerignore leaves out, and takes back", async () => {
  const image = await built({
    Dockerfile: "FROM scratch\nCOPY . /\n",
    ".dockerignore": "# comment\n**/*.log\n.git\nDockerfile\n.dockerignore\nbuild/\n!build/keep.txt\n",
    ".git/config": "g",
    "a/b/x.log": "l",
    "a/b/x.txt": "t",
    "build/other": "o",
    "build/keep.txt": "k",
  });
  expect(Object.keys(await listing(image))).toEqual(["/a/", "/a/b/", "/a/b/x.txt", "/build/", "/build/keep.txt"]);
});

test("what Git keeps for itself is no part of an image, wherever it lies", async () => {
  const files = { ".git/HEAD": "ref", "sub/.git": "gitdir: ../.git/modules/sub", "sub/x": "x", ".gitignore": "y" };
  expect(Object.keys(await listing(await built({ Dockerfile: "FROM scratch\nCOPY . /all/\nCOPY sub /sub/\n", ...files })))).toEqual([
    "/all/",
    "/all/.gitignore",
    "/all/Dockerfile",
    "/all/sub/",
    "/all/sub/x",
    "/sub/",
    "/sub/x",
  ]);
  await expect(built({ Dockerfile: "FROM scratch\nCOPY .git /git\n", ...files })).rejects.toThrow(
    "Dockerfile:2: .git is Git's own folder, which is no part of a source",
  );
});

test.each([
  ["*.md", "README.md", true],
  ["*.md", "docs/README.md", false],
  ["**/*.md", "docs/a/README.md", true],
  ["docs", "docs/x/y", true],
  ["/docs/", "docs/x", true],
  ["docs/*", "docs/x/y", true],
  ["d?cs", "docs", true],
  ["[a-c]x", "bx", true],
  ["a\n!a/b", "a/b/c", false],
  ["temp*", "a/temp1", false],
  ["\uFEFFdocs", "docs", true],
  ["docs/**", "docs", false],
  ["docs/**", "docs/x", true],
  ["**", "a", true],
  ["**.log", "a/b.log", true],
  ["a/**/b", "a/b", true],
  ["[^a]x", "ax", false],
  ["[^a]x", "bx", true],
  ["a\\*", "a*", true],
  ["a\\*", "ab", false],
  ["../a", "a", false],
  ["/../a", "a", true],
  ["a+(b)$", "a+(b)$", true],
  ["*\n! keep", "keep", false],
])(".dockerignore %j and %s", (pattern, path, ignored) => expect(parseDockerignore(pattern)(path)).toBe(ignored));

test.each([
  ["[ab", "a [ has no ] at its end"],
  ["a[]", "stands where a character"],
  ["[a-]", "stands where a character"],
  ["x\\", "escapes nothing"],
  ["!", "takes nothing back"],
  ["!/", "takes nothing back"],
])(".dockerignore %j is told with its line", async (pattern, message) => {
  const failure = await build({ Dockerfile: "FROM scratch\nCOPY a /\n", a: "a", ".dockerignore": `ok\n\n${pattern}\n` }).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ name: "DockerfileError", message: expect.stringMatching(/^\.dockerignore:3: /) as string });
  expect((failure as Error).message).toContain(message);
});

test("patterns of COPY stop at slashes, and one of several may fit nothing", async () => {
  const files = { "a.txt": "a", "d/a.txt": "1", "d/e/a.txt": "2", "[x].txt": "x" };
  const placed = async (line: string) =>
    Object.keys(await listing(await built({ ...files, Dockerfile: `FROM scratch\n${line}\n` }))).filter((path) => !path.endsWith("/"));
  expect(await placed("COPY **/a.txt /x/")).toEqual(["/x/a.txt"]);
  expect(await placed("COPY d/**/*.txt a.txt /x/")).toEqual(["/x/a.txt"]);
  expect(await placed("COPY [[]x].txt /x/")).toEqual(["/x/[x].txt"]);
  expect(await placed("COPY a.txt optional*.lock /x/")).toEqual(["/x/a.txt"]);
  await expect(placed("COPY optional*.lock /x/")).rejects.toThrow("Dockerfile:2: no file of the build context fits optional*.lock");
  await expect(placed("COPY a.txt [ab /x/")).rejects.toThrow("Dockerfile:2: a [ has no ] at its end");
});

test("ADD unpacks a tar archive and copies everything else", async () => {
  const folder = await contextOf({ "in/a*": "a", "in/sub/b": "b" });
  execFileSync("tar", ["-czf", join(folder, "x.tgz"), "-C", join(folder, "in"), "--owner=5", "--group=6", "--mode=u=rwX,go=rX", "."]);
  await rm(join(folder, "in"), { recursive: true });
  await writeFile(join(folder, "plain.gz"), gzipSync("text"));
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\nADD x.tgz /opt/\nADD plain.gz /opt/\nCOPY x.tgz /packed\n");
  const outcome = await buildImage({ context: folder, folder: await scratch(), resolveBase: noBase });
  const found = outcome.kind === "built" ? await listing(outcome.image) : {};
  expect(found).toMatchObject({
    "/opt/a": "755 5:6 a",
    "/opt/sub/b": "644 5:6 b",
    "/opt/plain.gz": expect.stringContaining("644 0:0") as string,
  });
  expect(found["/packed"]).toBeDefined();
});

test("texts inside the Dockerfile", async () => {
  const image = await built({
    Dockerfile:
      "FROM scratch\nARG NAME=omx\nCOPY <<EOF <<-'RAW' /etc/\nhello ${NAME} \\$x\nEOF\n\traw $NAME\n\tRAW\nCOPY <<end /one\n1\nend\n",
  });
  expect(await listing(image)).toMatchObject({
    "/etc/EOF": "644 0:0 hello omx $x",
    "/etc/RAW": "644 0:0 raw $NAME",
    "/one": "644 0:0 1",
  });
});

test("a link in the context stays a link, one that leads out of it is refused", async () => {
  const context = await contextOf({ Dockerfile: "FROM scratch\nCOPY d /d\nCOPY to-file /f\n", "d/real": "r" });
  await symlink("real", join(context, "d/link"));
  await symlink("d/real", join(context, "to-file"));
  const outcome = await buildImage({ context, folder: await scratch(), resolveBase: noBase });
  expect(outcome.kind === "built" && (await listing(outcome.image))).toMatchObject({
    "/d/link": "777 0:0 -> real",
    "/f": "644 0:0 r",
  });
  await symlink("/etc/passwd", join(context, "out"));
  await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY out /d\n");
  await expect(buildImage({ context, folder: await scratch(), resolveBase: noBase })).rejects.toThrow(
    "Dockerfile:2: out leads out of the build context",
  );
});
