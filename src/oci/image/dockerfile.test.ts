import { describe, expect, test } from "vitest";
import { build, built, listing } from "../testing/build-fixtures.ts";

const configOf = async (lines: string, before = "FROM scratch") =>
  (await built({ Dockerfile: `${before}\n${lines}\n`, "a.txt": "a" })).config.config ?? {};
const envOf = async (lines: string, before?: string) =>
  Object.fromEntries(
    ((await configOf(lines, before)).Env ?? [])
      .slice(1)
      .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
const toldOf = async (dockerfile: string) =>
  build({ Dockerfile: `${dockerfile}\n`, "a.txt": "a" }).then(
    (outcome) => (outcome.kind === "needsEngine" ? `an engine, line ${outcome.line}: ${outcome.reason}` : "built"),
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );

// What these give was compared with BuildKit 0.23.2, image by image.
describe("lists and what only looks like one", () => {
  test.each<readonly [string, string, unknown]>([
    ["HEALTHCHECK CMD [ -f /ok ]", "Healthcheck", { Test: ["CMD-SHELL", "[ -f /ok ]"] }],
    ['HEALTHCHECK cmd ["a", "b"]', "Healthcheck", { Test: ["CMD", "a", "b"] }],
    [
      "HEALTHCHECK --interval=1.5s --timeout=.5s --start-period=0 --retries= CMD x",
      "Healthcheck",
      { Test: ["CMD-SHELL", "x"], Interval: 1_500_000_000, Timeout: 500_000_000 },
    ],
    ["CMD [ -f /ok ]", "Cmd", ["/bin/sh", "-c", "[ -f /ok ]"]],
    ['CMD ["a"] b', "Cmd", ["/bin/sh", "-c", '["a"] b']],
    ["ENTRYPOINT [a]", "Entrypoint", ["/bin/sh", "-c", "[a]"]],
    ["VOLUME [a]", "Volumes", { "[a]": {} }],
    ["CMD -- --x", "Cmd", ["/bin/sh", "-c", "--x"]],
    ["EXPOSE 8080:80 53/UDP", "ExposedPorts", { "80/tcp": {}, "53/udp": {} }],
    ["STOPSIGNAL SIGRTMIN+3", "StopSignal", "SIGRTMIN+3"],
    ["LABEL a b c\nLABEL d='e f' \"g h\"=i", "Labels", { a: "b c", d: "e f", "g h": "i" }],
    ["ONBUILD COPY <<EOF /x\nhi\nEOF", "OnBuild", ["COPY <<EOF /x\nhi\nEOF"]],
  ])("%j", async (lines, member, expected) => expect((await configOf(lines))[member as "Cmd"]).toEqual(expected));
});

describe("substitutions", () => {
  test("of beginnings, ends and parts, as BuildKit has them since 1.7", async () => {
    const lines =
      "ENV V=v1.2.3 P=/a/b.tar.gz Q='x*y?'\nENV A=${V#v} B=${V%.*} C=${V%%.*} D=${V##*.} E=${V/./-} F=${V//./-} G=${P##*/} H=${P%.tar*} I=${Q%\\*y?} J=${P//\\//_} K=${N#x}y L=\"${V#v?}\" M=${V/[1]/x}\n";
    expect(await envOf(lines)).toMatchObject({
      A: "1.2.3",
      B: "v1.2",
      C: "v1",
      D: "3",
      E: "v1-2.3",
      F: "v1-2-3",
      G: "b.tar.gz",
      H: "/a/b",
      I: "x",
      J: "_a_b.tar.gz",
      K: "y",
      L: ".2.3",
      M: "v1.2.3",
    });
  });

  test.each<readonly [string, string]>([
    ["ENV A=${B:?sayB}", "DockerfileError: Dockerfile:2: B: sayB"],
    ["ENV A=${", "DockerfileError: Dockerfile:2: a ${ in ${ has no end"],
    ["ENV A='x", "a ' in 'x has no end"],
    ["ENV A=${:x}", "names no variable"],
    ["ENV A=${B^}", "an engine, line 2: "],
    ["ENV B=x\nENV A=${B#\\x}", "only * ? \\ } and / are escaped there"],
    ["ENV A=1 B", 'Dockerfile:2: write ENV name=value, not "ENV A=1 B"'],
    ["ENV =1", "write ENV name=value"],
    ["LABEL a", "write LABEL name=value"],
    ["ARG =x", "write ARG name=value"],
  ])("%j", async (line, message) => expect(await toldOf(`FROM scratch\n${line}`)).toContain(message));
});

describe("what no version of Docker takes is told with its line", () => {
  test.each<readonly [string, string]>([
    ["ENV --x=1 A=2", "ENV has no flag --x; it has none"],
    ["CMD --init run", "CMD has no flag --init"],
    ["ONBUILD --x RUN a", "ONBUILD has no flag --x"],
    ["FROM --plattform=linux/amd64 scratch", "FROM has no flag --plattform; it has --platform"],
    ["COPY --chwon=1 a.txt /", "COPY has no flag --chwon; it has --chown, --chmod, --link, --exclude, --from, --parents"],
    ["COPY --chown=1 --chown=2 a.txt /", "--chown is there twice"],
    ["COPY --chown a.txt /", "--chown needs a value"],
    ["COPY --link=maybe a.txt /", "--link=maybe: write --link"],
    ["COPY --constructor=1 a.txt /", "COPY has no flag --constructor"],
    ['HEALTHCHECK CMD ["a", 1]', "something else than texts"],
    ["CMD [1]", "something else than texts"],
    ['COPY ["a.txt", 1]', "something else than texts"],
    ["HEALTHCHECK CMD []", "write HEALTHCHECK NONE"],
    ["HEALTHCHECK NONE x", "write HEALTHCHECK NONE"],
    ["HEALTHCHECK --retries=1.5 CMD x", "--retries=1.5: write a whole number"],
    ["HEALTHCHECK --interval=1us CMD x", '"1us" is too short'],
    ["HEALTHCHECK --interval=-5s CMD x", '"-5s" is not a duration'],
    ['VOLUME [""]', "a VOLUME without a name"],
    ["STOPSIGNAL SIGFOO", '"SIGFOO" is not a signal'],
    ["COPY a.txt <<EOF\nb\nEOF", "<<EOF is a text"],
    ["COPY --chmod=99 a.txt /", "--chmod=99: write the mode in octal"],
    ["FROM scratch AS 1x", '"1x" is not a name for a stage'],
  ])("%j", async (line, message) => {
    const told = await toldOf(`FROM scratch\n${line}`);
    expect(told).toContain("DockerfileError: Dockerfile:2: ");
    expect(told).toContain(message);
  });

  test("flags that are known, and those that another frontend may know, are an engine's", async () => {
    expect(await toldOf("FROM scratch\nCOPY --parents a.txt /")).toMatch(/^an engine, line 2: COPY --parents/);
    expect(await toldOf("FROM scratch\nCOPY --parents=false a.txt /")).toBe("built");
    expect(await toldOf("FROM scratch\nCOPY --chmod=u+x a.txt /")).toMatch(/^an engine, line 2: --chmod=u\+x/);
    expect(await toldOf("# syntax=docker/dockerfile:9\nFROM scratch\nCOPY --new=1 a.txt /")).toMatch(/^an engine, line 3: COPY --new/);
    expect(await toldOf("# syntax=docker/dockerfile:9\nFROM scratch\nENV --new=1 A=1")).toMatch(/ENV has no flag/);
  });
});

describe("texts inside the Dockerfile", () => {
  const contentOf = async (lines: string, before?: string) =>
    Object.fromEntries(
      Object.entries(await listing(await built({ Dockerfile: `${before ?? "FROM scratch"}\n${lines}\n`, "a.txt": "a" }))).map(
        ([path, what]) => [path, what.replace(/^\d+ 0:0 ?/, "")],
      ),
    );
  test.each<readonly [string, string, Readonly<Record<string, string>>]>([
    ["of two with one name the last stands for both", 'COPY <<EOF <<"EOF" /x/\none\nEOF\ntwo $A\nEOF', { "/x/EOF": "two $A" }],
    [
      "with an expansion of their own",
      'ENV A=v\nCOPY <<"EOF" /q\n$A\nEOF\nCOPY <<EOF /x\n$A ${A} \\$A ${B:-d} ${A#v}x "$A" \'$A\' \\\\ \\n\nEOF',
      { "/q": "$A", "/x": "v v $A d x \"v\" 'v' \\ n" },
    ],
    ["names of any kind", "COPY <<E-O.F /x\nb\nE-O.F\nCOPY 3<<'1' /y\nc\n1", { "/x": "b", "/y": "c" }],
    ["ends with blanks are none", "COPY <<EOF /x\na\n EOF\nEOF \nEOF", { "/x": "a\n EOF\nEOF" }],
  ])("%s", async (_, lines, expected) => expect(await contentOf(lines)).toMatchObject(expected));

  test("the escape in them is a backslash, whatever the directive says", async () => {
    expect(await contentOf("ENV A=1 `\n B=c:\\dir\nCOPY <<EOF /x\n\\$A `$A\nEOF", "# escape=`\nFROM scratch")).toMatchObject({
      "/x": "$A `1",
    });
  });

  test("one of a RUN may stand apart from its <<", async () => {
    expect(await toldOf("FROM scratch\nRUN cat << EOF > /x\nthis is no instruction\nEOF")).toMatch(/^an engine, line 2: /);
  });

  test("one of an ONBUILD is carried out with it", async () => {
    const base = await built({ Dockerfile: "FROM scratch\nONBUILD COPY <<EOF /x\nhi\nEOF\n" });
    expect(await listing(await built({ Dockerfile: "FROM base\n" }, { resolveBase: () => Promise.resolve(base) }))).toEqual({
      "/x": "644 0:0 hi",
    });
  });
});

describe("directives and lines", () => {
  test.each<readonly [string, string]>([
    ["# escape=x\nFROM scratch", "Dockerfile:1: escape=x: write a backslash or a backtick"],
    ["# escape=`\n# escape=`\nFROM scratch", "Dockerfile:2: the directive escape is there twice"],
  ])("%j is told", async (dockerfile, message) => expect(await toldOf(dockerfile)).toContain(message));

  test.each<readonly [string, string, Readonly<Record<string, string>>]>([
    ["# check=skip=all;error=true\n# ESCAPE = `\nFROM scratch", "ENV A=1 `\n B=2", { A: "1", B: "2" }],
    ["# other=x\n# escape=`\nFROM scratch", "ENV A=1 \\\n B=2", { A: "1", B: "2" }],
    ["FROM scratch", "ENV A=1\\\\\nENV B=2", { A: "1\\", B: "2" }],
    ["FROM scratch\r", "ENV A=1 \\\r\n B=2\r", { A: "1", B: "2" }],
    ["# escape=`\nARG A=a`$b\nARG B=`$A$A\nFROM scratch", "ARG A\nARG B\nENV X=$A Y=$B", { X: "a$b", Y: "$Aa$b" }],
    ["# escape=`\nFROM scratch", 'ENV A=a` b B="x`"y"', { A: "a b", B: 'x"y' }],
  ])("%j", async (before, lines, expected) => expect(await envOf(lines, before)).toEqual(expected));

  test("an ARG before FROM that can't be filled in is told with its line", async () =>
    expect(await toldOf("ARG A=1\nARG B=${\nFROM scratch")).toBe("DockerfileError: Dockerfile:2: a ${ in ${ has no end"));

  test("FROM for the platform of the target or of the build", async () => {
    for (const side of ["TARGET", "BUILD"])
      expect(
        (
          await built(
            { Dockerfile: `FROM --platform=$${side}PLATFORM scratch\nENV A=1\n` },
            { platform: { os: "linux", architecture: "arm64", variant: "v8" } },
          )
        ).platform,
      ).toEqual({ os: "linux", architecture: "arm64", variant: "v8" });
  });
});

test("--chmod is for the folders that it makes too, an empty --chown for nothing", async () => {
  const image = await built({
    Dockerfile: "FROM scratch\nCOPY --chmod=4750 a.txt /x/y/z\nCOPY --chown= a.txt /q\nCOPY --chmod=7 a.txt /r\n",
    "a.txt": "a",
  });
  expect(await listing(image)).toEqual({
    "/q": "644 0:0 a",
    "/r": "7 0:0 a",
    "/x/": "750 0:0",
    "/x/y/": "750 0:0",
    "/x/y/z": "4750 0:0 a",
  });
});
