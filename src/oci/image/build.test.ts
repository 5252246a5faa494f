import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { registryClient } from "../client/registry-client.ts";
import { build, built, debianLike } from "../testing/build-fixtures.ts";
import { startDockerRegistry } from "../testing/docker-registry.ts";
import { baseFromRegistry } from "./base-image.ts";
import { pushImage } from "./built-image.ts";
import { DockerfileError } from "./dockerfile.ts";

describe("configuration", () => {
  test("every instruction that changes it", async () => {
    const image = await built(
      {
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
      },
      { buildArgs: { VERSION: "1.2" }, labels: { commit: "abc" } },
    );
    expect(image.config.config).toEqual({
      Env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "A=2",
        "B=two words",
        "C=$A",
        "D=xnone",
        "E=1",
        "F=$A",
        "OLD=form of it",
      ],
      Labels: { commit: "abc", empty: "", "org.name": "omx 1.2" },
      WorkingDir: "/opt/app",
      User: "1000:1000",
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      Volumes: { "/data": {}, "/more": {}, "/list": {} },
      StopSignal: "SIGINT",
      Shell: ["/bin/bash", "-c"],
      Healthcheck: { Test: ["CMD-SHELL", "test -f /ok"], Interval: 90_000_000_000, Retries: 3 },
      Entrypoint: ["/run", "$A"],
      Cmd: ["/bin/bash", "-c", "echo $A"],
      OnBuild: ["COPY . /src"],
    });
    expect(image.config).toMatchObject({ os: "linux", architecture: "amd64", created: "1970-01-01T00:00:00Z" });
  });

  test("ENTRYPOINT clears the base's CMD, variables and labels of the base are kept, its triggers run", async () => {
    const base = await debianLike();
    const image = await built(
      { Dockerfile: 'FROM debian\nENV OLD=2 NEW=$OLD\nENTRYPOINT ["/x"]\n' },
      { resolveBase: () => Promise.resolve(base) },
    );
    expect(image.config.config).toEqual({
      Env: ["PATH=/usr/bin", "OLD=2", "NEW=1"],
      Labels: { from: "base", triggered: "yes" },
      Entrypoint: ["/x"],
    });
  });
});

describe("the same source gives the same digest", () => {
  test("whenever and wherever it is built, in whatever order files lie", async () => {
    const files = { Dockerfile: "FROM scratch\nCOPY . /\n", "b/x": "x", "a*": "a" };
    const [one, two] = [await built(files), await built(Object.fromEntries(Object.entries(files).toReversed()))];
    expect(two.digest).toBe(one.digest);
    expect(one.digest).toMatchInlineSnapshot(`"sha256:e971e3edbd498c1116021d7fbe8917ea1c7935c68ae57cc5f8175c9601534832"`);
    expect((await built({ ...files, "b/x": "y" })).digest).not.toBe(one.digest);
  });
});

describe("what cannot be built here", () => {
  test.each([
    ["RUN apt-get update", "RUN runs a command"],
    ["ADD https://example.org/x /x", "ADD of an address"],
    ["ADD x.bz2 /x", "packed by bzip2 (by gzip or zstd it needs none)"],
    ["COPY --parents x /x", "--parents"],
    ["ENV A=${B^}", "not a substitution"],
  ])("%s needs an engine, said with its line", async (instruction, reason) => {
    const outcome = await build({
      Dockerfile: `FROM scratch\n\nCOPY x.bz2 /\n${instruction} \\\n  # more\n\n`,
      "x.bz2": "BZh91AY",
    });
    expect(outcome).toMatchObject({
      kind: "needsEngine",
      file: "Dockerfile",
      line: 4,
      reason: expect.stringContaining(reason) as string,
    });
  });

  test("a RUN is told before the base is read, and one in a stage that nobody needs is not", async () => {
    const resolveBase = () => Promise.reject(new Error("the base was read"));
    const dockerfile = "FROM debian AS a\nWORKDIR /x\nFROM a\nRUN true\nFROM a AS c\nCOPY x /\n";
    expect(await build({ Dockerfile: dockerfile, x: "x" }, { resolveBase, target: "1" })).toMatchObject({ kind: "needsEngine", line: 4 });
    await expect(build({ Dockerfile: dockerfile, x: "x" }, { resolveBase, target: "c" })).rejects.toThrow("the base was read");
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
    ["FROM scratch\nCOPY --chmod=99 a /\n", "octal"],
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
    await expect(build({ Dockerfile: "FROM scratch AS one\nFROM scratch\n" }, { target: "two" })).rejects.toThrow(
      'there is no stage "two"; stages are one, 1',
    );
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
  await expect(built({ Dockerfile: `FROM ${registry.host}/base:2\n` }, { resolveBase: baseFromRegistry(client) })).rejects.toThrow(
    "check the name and the tag",
  );
  expect(await readdir(registry.folder)).toContain("data");
});
