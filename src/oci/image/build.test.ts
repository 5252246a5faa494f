import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { registryClient } from "../client/registry-client.ts";
import { startDockerRegistry } from "../testing/docker-registry.ts";
import { baseFromRegistry } from "./base-image.ts";
import type { BaseImage, ResolveBase } from "./base-image.ts";
import { buildImage } from "./build.ts";
import type { BuildOptions } from "./build.ts";
import { imageOf, pushImage } from "./built-image.ts";
import type { BuiltImage } from "./built-image.ts";
import { DockerfileError } from "./dockerfile.ts";
import { parseDockerignore } from "./dockerignore.ts";
import { LayerFiles } from "./layer-files.ts";
import { writeLayer } from "./layer.ts";
import { fileOf } from "./tar-writer.ts";
import type { LayerEntry } from "./tar-writer.ts";

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "omx-build-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A build context of these files; a name that ends in `*` is executable. */
async function contextOf(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await scratch();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name.replace("*", ""));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await chmod(path, name.endsWith("*") ? 0o775 : 0o640);
  }
  return folder;
}

const noBase: ResolveBase = (image) => Promise.reject(new Error(`${image.repository} is not there`));

async function build(files: Readonly<Record<string, string | Buffer>>, options: Partial<BuildOptions> = {}) {
  const context = await contextOf(files);
  return buildImage({ context, folder: await scratch(), resolveBase: noBase, ...options });
}

/** The image of a build that needs no engine. */
async function built(files: Readonly<Record<string, string | Buffer>>, options: Partial<BuildOptions> = {}): Promise<BuiltImage> {
  const outcome = await build(files, options);
  if (outcome.kind !== "built") throw new Error(`${outcome.line}: ${outcome.reason}`);
  return outcome.image;
}

/** What lies in an image: `path` → mode, owner and content or link. */
async function listing(image: BuiltImage): Promise<Record<string, string>> {
  const files = new LayerFiles(await scratch());
  const tree = await files.tree(image.layers);
  const listed: Record<string, string> = {};
  for (const [path, node] of tree.below("")) {
    if (!node.entry) continue;
    await files.fetch([node.entry]);
    const { mode, uid = 0, gid = 0 } = node.entry;
    const what = node.entry.kind === "file" ? await text(node.entry.open() as AsyncIterable<Uint8Array>) : node.entry.kind === "symlink" ? `-> ${node.entry.linkTarget}` : "";
    listed[`/${path}${node.kind === "directory" ? "/" : ""}`] = `${mode.toString(8)} ${uid}:${gid} ${what}`.trim();
  }
  return listed;
}

/** A base like Debian's: /bin is a link to usr/bin, /tmp is sticky, there is a user. */
async function debianLike(): Promise<BaseImage> {
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
  const layers = [await writeLayer(lower, { folder, random: systemRandom }), await writeLayer([fileOf(".wh.gone", "")], { folder, random: systemRandom })];
  const config = { Env: ["PATH=/usr/bin", "OLD=1"], Cmd: ["sh"], Labels: { from: "base" }, OnBuild: ["LABEL triggered=yes"] };
  return { config: imageOf({ platform: { os: "linux", architecture: "arm64" }, config, history: [], layers }).config, layers };
}

describe("files", () => {
  test("COPY from scratch: files, folders, patterns, modes without the umask", async () => {
    const image = await built({
      Dockerfile: "FROM scratch\nCOPY run.sh /app/\nCOPY src /app/src\nCOPY a.txt b.txt d?ta/*.csv /data/\nCOPY a.txt /renamed\nWORKDIR /work\nCOPY b.txt .\n",
      "run.sh*": "run", "src/deep/x.py": "x", "src/y.py": "y", "a.txt": "a", "b.txt": "b", "data/1.csv": "1", "data/2.tsv": "2",
    });
    expect(await listing(image)).toEqual({
      "/app/": "755 0:0", "/app/run.sh": "755 0:0 run", "/app/src/": "755 0:0", "/app/src/deep/": "755 0:0",
      "/app/src/deep/x.py": "644 0:0 x", "/app/src/y.py": "644 0:0 y", "/data/": "755 0:0", "/data/a.txt": "644 0:0 a",
      "/data/b.txt": "644 0:0 b", "/data/1.csv": "644 0:0 1", "/renamed": "644 0:0 a", "/work/": "755 0:0", "/work/b.txt": "644 0:0 b",
    });
  });

  test("onto a base: its links lead, its folders keep their modes, its whiteouts hold", async () => {
    const base = await debianLike();
    const image = await built(
      { Dockerfile: "FROM debian\nCOPY x /bin/\nCOPY x /tmp/\nCOPY x /usr/bin\nCOPY --chown=bio:lab x /home/bio/x\nCOPY --chown=7 --chmod=600 x /y\n", x: "x" },
      { resolveBase: () => Promise.resolve(base) },
    );
    const found = await listing(image);
    expect(found).toMatchObject({
      "/bin": "777 0:0 -> usr/bin", "/usr/bin/x": "644 0:0 x", "/usr/bin/tool": "755 0:0 tool", "/tmp/": "1777 0:0", "/tmp/x": "644 0:0 x",
      "/home/": "755 1001:2000", "/home/bio/": "755 1001:2000", "/home/bio/x": "644 1001:2000 x", "/y": "600 7:7 x",
    });
    expect(Object.keys(found).filter((path) => path.startsWith("/gone") || path.startsWith("/bin/"))).toEqual([]);
    expect(image.platform.architecture).toBe("arm64");
    expect(image.layers).toHaveLength(base.layers.length + 5);
  });

  test("from other stages and images, of which only those needed are built", async () => {
    const base = await debianLike();
    const image = await built(
      {
        Dockerfile: [
          "ARG TAG=12", "FROM debian:$TAG AS tools", "COPY x /opt/mine/x", "FROM tools AS unused", "RUN make", "FROM scratch AS Out",
          "COPY --from=tools /opt/mine /opt/mine", "COPY --from=TOOLS /bin/tool /bin/", "COPY --from=debian:12 /etc/p* /etc/", "FROM unused", "RUN test",
        ].join("\n"),
        x: "x",
      },
      { target: "out", resolveBase: (ref) => (ref.tag === "12" ? Promise.resolve(base) : noBase(ref, { os: "", architecture: "" })) },
    );
    expect(Object.keys(await listing(image))).toEqual(["/bin/", "/bin/tool", "/etc/", "/etc/passwd", "/opt/", "/opt/mine/", "/opt/mine/x"]);
    expect((await listing(image))["/bin/tool"]).toBe("755 0:0 tool");
  });

  test(".dockerignore leaves out, and takes back", async () => {
    const image = await built({
      Dockerfile: "FROM scratch\nCOPY . /\n",
      ".dockerignore": "# comment\n**/*.log\n.git\nDockerfile\n.dockerignore\nbuild/\n!build/keep.txt\n",
      ".git/config": "g", "a/b/x.log": "l", "a/b/x.txt": "t", "build/other": "o", "build/keep.txt": "k",
    });
    expect(Object.keys(await listing(image))).toEqual(["/a/", "/a/b/", "/a/b/x.txt", "/build/", "/build/keep.txt"]);
  });

  test.each([
    ["*.md", "README.md", true], ["*.md", "docs/README.md", false], ["**/*.md", "docs/a/README.md", true], ["docs", "docs/x/y", true],
    ["/docs/", "docs/x", true], ["docs/*", "docs/x/y", true], ["d?cs", "docs", true], ["[a-c]x", "bx", true], ["a\n!a/b", "a/b/c", false], ["temp*", "a/temp1", false],
  ])(".dockerignore %j and %s", (pattern, path, ignored) => expect(parseDockerignore(pattern)(path)).toBe(ignored));

  test("ADD unpacks a tar archive and copies everything else", async () => {
    const folder = await contextOf({ "in/a*": "a", "in/sub/b": "b" });
    execFileSync("tar", ["-czf", join(folder, "x.tgz"), "-C", join(folder, "in"), "--owner=5", "--group=6", "--mode=u=rwX,go=rX", "."]);
    await rm(join(folder, "in"), { recursive: true });
    await writeFile(join(folder, "plain.gz"), gzipSync("text"));
    await writeFile(join(folder, "Dockerfile"), "FROM scratch\nADD x.tgz /opt/\nADD plain.gz /opt/\nCOPY x.tgz /packed\n");
    const outcome = await buildImage({ context: folder, folder: await scratch(), resolveBase: noBase });
    const found = outcome.kind === "built" ? await listing(outcome.image) : {};
    expect(found).toMatchObject({ "/opt/a": "755 5:6 a", "/opt/sub/b": "644 5:6 b", "/opt/plain.gz": expect.stringContaining("644 0:0") as string });
    expect(found["/packed"]).toBeDefined();
  });

  test("texts inside the Dockerfile", async () => {
    const image = await built({ Dockerfile: "FROM scratch\nARG NAME=omx\nCOPY <<EOF <<-'RAW' /etc/\nhello ${NAME} \\$x\nEOF\n\traw $NAME\n\tRAW\nCOPY <<end /one\n1\nend\n" });
    expect(await listing(image)).toMatchObject({ "/etc/EOF": "644 0:0 hello omx $x", "/etc/RAW": "644 0:0 raw $NAME", "/one": "644 0:0 1" });
  });

  test("a link in the context stays a link, one that leads out of it is refused", async () => {
    const context = await contextOf({ Dockerfile: "FROM scratch\nCOPY d /d\nCOPY to-file /f\n", "d/real": "r" });
    await symlink("real", join(context, "d/link"));
    await symlink("d/real", join(context, "to-file"));
    const outcome = await buildImage({ context, folder: await scratch(), resolveBase: noBase });
    expect(outcome.kind === "built" && (await listing(outcome.image))).toMatchObject({ "/d/link": "777 0:0 -> real", "/f": "644 0:0 r" });
    await symlink("/etc/passwd", join(context, "out"));
    await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY out /d\n");
    await expect(buildImage({ context, folder: await scratch(), resolveBase: noBase })).rejects.toThrow("Dockerfile:2: out leads out of the build context");
  });
});

describe("configuration", () => {
  test("every instruction that changes it", async () => {
    const image = await built({
      Dockerfile: `# escape=\\
FROM scratch
ARG VERSION
ARG BASE=/opt
ENV A=1 B="two words" C=\\$A D=\${A:-x}\${NONE:-none}\${A:+set}
ENV A=2 E=$A \\
    # a comment in between
    F='$A'
ENV OLD form of it
LABEL "org.name"="omx $VERSION" empty=
WORKDIR $BASE
WORKDIR app
USER 1000:1000
EXPOSE 80 53/udp
VOLUME /data /more
VOLUME ["/list"]
STOPSIGNAL SIGINT
SHELL ["/bin/bash", "-c"]
HEALTHCHECK --interval=1m30s --retries=3 CMD test -f /ok
ENTRYPOINT ["/run", "$A"]
CMD echo $A
ONBUILD COPY . /src
`,
    }, { buildArgs: { VERSION: "1.2" }, labels: { commit: "abc" } });
    expect(image.config.config).toEqual({
      Env: ["B=two words", "C=$A", "D=xnone", "A=2", "E=1", "F=$A", "OLD=form of it"],
      Labels: { commit: "abc", empty: "", "org.name": "omx 1.2" },
      WorkingDir: "/opt/app", User: "1000:1000", ExposedPorts: { "80/tcp": {}, "53/udp": {} }, Volumes: { "/data": {}, "/more": {}, "/list": {} },
      StopSignal: "SIGINT", Shell: ["/bin/bash", "-c"], Healthcheck: { Test: ["CMD", "/bin/bash", "-c", "test -f /ok"], Interval: 90_000_000_000, Retries: 3 },
      Entrypoint: ["/run", "$A"], Cmd: ["/bin/bash", "-c", "echo $A"], OnBuild: ["COPY . /src"],
    });
    expect(image.config).toMatchObject({ os: "linux", architecture: "amd64", created: "1970-01-01T00:00:00Z" });
  });

  test("ENTRYPOINT clears the base's CMD, variables and labels of the base are kept, its triggers run", async () => {
    const base = await debianLike();
    const image = await built({ Dockerfile: "FROM debian\nENV OLD=2 NEW=$OLD\nENTRYPOINT [\"/x\"]\n" }, { resolveBase: () => Promise.resolve(base) });
    expect(image.config.config).toEqual({ Env: ["PATH=/usr/bin", "OLD=2", "NEW=1"], Labels: { from: "base", triggered: "yes" }, Entrypoint: ["/x"] });
  });
});

describe("the same source gives the same digest", () => {
  test("whenever and wherever it is built, in whatever order files lie", async () => {
    const files = { Dockerfile: "FROM scratch\nCOPY . /\n", "b/x": "x", "a*": "a" };
    const [one, two] = [await built(files), await built(Object.fromEntries(Object.entries(files).toReversed()))];
    expect(two.digest).toBe(one.digest);
    expect(one.digest).toMatchInlineSnapshot(`"sha256:422c1668c25abd41f05bffb5df2d48db836fb5e4a05bae5af2e9381d54a0987c"`);
    expect((await built({ ...files, "b/x": "y" })).digest).not.toBe(one.digest);
  });
});

describe("what cannot be built here", () => {
  test.each([
    ["RUN apt-get update", "RUN runs a command"],
    ["ADD https://example.org/x /x", "ADD of an address"],
    ["ADD x.bz2 /x", "bzip2"],
    ["COPY --parents x /x", "--parents"],
    ["ENV A=${B#x}", "not a substitution"],
  ])("%s needs an engine, said with its line", async (instruction, reason) => {
    const outcome = await build({ Dockerfile: `FROM scratch\n\nCOPY x.bz2 /\n${instruction} \\\n  # more\n\n`, "x.bz2": "BZh91AY" });
    expect(outcome).toMatchObject({ kind: "needsEngine", file: "Dockerfile", line: 4, reason: expect.stringContaining(reason) as string });
  });

  test.each([
    ["FROM scratch\nCOPY nothing /\n", "Dockerfile:2: nothing is not in the build context"],
    ["FROM scratch\nCOPY no*such /\n", "Dockerfile:2: no file of the build context fits no*such"],
    ["FROM scratch\nCOPY a b /c\n", "more than one source"],
    ["FROM scratch\nCOPY ../a /c\nCOPY /etc/hostname /x\n", "/etc/hostname is not in the build context"],
    ["FROM scratch\nCOPI a /\n", 'Dockerfile:2: "COPI" is not an instruction'],
    ["COPY a /\n", "stands before the first FROM"],
    ["# nothing\n", "there is no FROM"],
    ["FROM scratch\nCOPY --chown=nobody a /\n", 'the image has no "nobody"'],
    ["FROM scratch\nCOPY --chmod=u+x a /\n", "octal"],
    ["FROM Bad:Name:x\n", "Dockerfile:1:"],
    ["FROM scratch AS\n", "write FROM image"],
    ["FROM scratch\nEXPOSE http\n", "not a port"],
    ["FROM scratch\nSHELL bash\n", "as a list"],
    ["FROM scratch\nCOPY <<EOF /x\nno end\n", "has no line EOF"],
    ["FROM scratch\nENV\n", "ENV needs an argument"],
    ["FROM scratch\nHEALTHCHECK --interval=soon CMD x\n", "not a duration"],
  ])("%j is an error with its line", async (dockerfile, message) => {
    const failure: unknown = await build({ Dockerfile: dockerfile, a: "a", b: "b" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DockerfileError);
    expect((failure as Error).message).toContain(message);
  });

  test("a stage that does not exist is named with those that do", async () => {
    await expect(build({ Dockerfile: "FROM scratch AS one\nFROM scratch\n" }, { target: "two" })).rejects.toThrow('there is no stage "two"; stages are one, 1');
  });
});

test("built on an image of a registry and pushed there, the base's layers are mounted", async () => {
  await using registry = await startDockerRegistry();
  await using client = registryClient();
  const base = await built({ Dockerfile: "FROM scratch\nCOPY big /big\n", big: "b".repeat(10_000) });
  await pushImage(client.repository({ registry: registry.host, repository: "base" }), "1", base);
  const image = await built({ Dockerfile: `FROM ${registry.host}/base:1\nCOPY x /x\n`, x: "x" }, { resolveBase: baseFromRegistry(client) });
  const target = client.repository({ registry: registry.host, repository: "mine" });
  const pushed = await pushImage(target, "1", image);
  expect(pushed.bytesSaved).toBe(base.layers[0]?.descriptor.size);
  expect((await target.getManifest("1"))?.digest).toBe(image.digest);
  await expect(built({ Dockerfile: `FROM ${registry.host}/base:2\n` }, { resolveBase: baseFromRegistry(client) })).rejects.toThrow("check the name and the tag");
  expect(await readdir(registry.folder)).toContain("data");
});
