import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { listing, noBase, scratch } from "../testing/build-fixtures.ts";
import { dockerBuild, hasDocker, settingsOf } from "../testing/docker-build.ts";
import { type BuildOptions, buildImage } from "./build.ts";

interface Case {
  readonly dockerfile: string;
  readonly ignore?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
}

/** A context with most of what can lie in one. */
async function context({ dockerfile, ignore }: Pick<Case, "dockerfile" | "ignore">): Promise<string> {
  const folder = await scratch();
  const write = async (name: string, content: string | Buffer, mode = 0o644) => {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), mode);
  };
  for (const [name, content, mode] of FILES) await write(name, content, mode);
  await symlink("a.txt", join(folder, "link"));
  await symlink("deep", join(folder, "src/down"));
  execFileSync("tar", [
    "-czf",
    join(folder, "packed.tgz"),
    "-C",
    join(folder, "src"),
    "--sort=name",
    "--owner=5",
    "--group=6",
    "--mtime=@0",
    "--mode=u=rwX,go=rX",
    ".",
  ]);
  await write("plain.gz", gzipSync("text"));
  await write("Dockerfile", dockerfile);
  if (ignore !== undefined) await write(".dockerignore", ignore);
  return folder;
}

const FILES: readonly (readonly [string, string, number?])[] = [
  ["a.txt", "a"],
  ["b.txt", "b"],
  ["run.sh", "#!/bin/sh\n", 0o755],
  ["src/x.py", "x"],
  ["src/deep/y.py", "y"],
  ["src/deep/z.log", "z"],
  ["data/1.csv", "1"],
  ["data/2.csv", "2"],
  ["data/3.tsv", "3"],
  ["with blank/f g.txt", "blank"],
  ["docs/README.md", "r"],
  ["README.md", "top"],
  ["build/out.o", "o"],
  ["build/keep.txt", "k"],
];

const BASE = `FROM scratch
COPY a.txt /etc/a.txt
COPY src /srv/old
ADD packed.tgz /opt
WORKDIR /home/bio
ENV PATH=/opt/bin:/bin HOME=/home/bio
LABEL maintainer="lab" from=base
EXPOSE 80
CMD ["/run", "a"]
ONBUILD COPY b.txt /triggered.txt
ONBUILD ENV TRIGGERED=yes
`;

const CASES: Readonly<Record<string, Case>> = {
  "files, folders and patterns": {
    dockerfile:
      "FROM scratch\nCOPY a.txt b.txt /x/\nCOPY src /x/src\nCOPY data/*.csv /data/\nCOPY d?cs/*.md /docs/\nCOPY run.sh /bin/run\n",
  },
  "a folder's content onto a folder": { dockerfile: "FROM scratch\nCOPY src/ /x\nCOPY data /x\nCOPY src /x/\n" },
  "folders by a pattern": { dockerfile: "FROM scratch\nCOPY s* /x/\nCOPY da*a /y/\n" },
  links: { dockerfile: "FROM scratch\nCOPY link /x/link\nCOPY src /x/src\nCOPY src/down /x/down\n" },
  "names with blanks": { dockerfile: 'FROM scratch\nCOPY ["with blank/f g.txt", "/to here/"]\nCOPY ["with blank", "/all of it/"]\n' },
  "everything, relative to WORKDIR": {
    dockerfile: "FROM scratch\nWORKDIR /lab\nCOPY . .\nWORKDIR sub/dir\nCOPY a.txt ./\nCOPY b.txt ../c.txt\n",
  },
  "WORKDIR alone": { dockerfile: "FROM scratch\nWORKDIR /one\nWORKDIR two\nWORKDIR /\n" },
  "owners by number": { dockerfile: "FROM scratch\nCOPY --chown=5:6 a.txt /x/y/a.txt\nCOPY --chown=7 src /s\n" },
  "ADD of archives and plain files": {
    dockerfile:
      "FROM scratch\nADD packed.tgz /opt/\nADD plain.gz /opt/\nADD a.txt /opt/x\nCOPY packed.tgz /packed.tgz\nADD packed.tgz /named\n",
  },
  variables: {
    dockerfile:
      'FROM scratch\nARG V=1\nARG W\nENV A=$V B="two words" C=\\$A D=${A:-x}${NONE:-none}${A:+set} E=\'$A\'\nENV A=2 F=$A\nENV OLD form of it\nLABEL v=$V "a b"="c $W" e=\nCOPY a.txt /x$V/\n',
    args: { W: "given" },
  },
  "ARG before FROM": {
    dockerfile: "ARG BASE=scratch\nARG V=1\nFROM ${BASE}\nARG V\nARG OTHER=${V}2\nENV V=$V OTHER=$OTHER\n",
    args: { V: "7" },
  },
  "an ARG that ENV hides": { dockerfile: "FROM scratch\nENV V=env\nARG V=arg\nLABEL v=$V\n" },
  "an ARG of another stage is unknown": { dockerfile: "FROM scratch AS one\nARG V=1\nFROM scratch\nLABEL v=x${V}x\nCOPY a.txt /\n" },
  commands: { dockerfile: 'FROM scratch\nENTRYPOINT ["/run", "$A"]\nCMD echo $A  two\n' },
  "ENTRYPOINT of a shell": { dockerfile: 'FROM scratch\nCMD ["x"]\nENTRYPOINT exec run\n' },
  SHELL: { dockerfile: 'FROM scratch\nSHELL ["/bin/bash", "-c"]\nCMD echo hi\nENTRYPOINT run it\n' },
  HEALTHCHECK: {
    dockerfile: "FROM scratch\nHEALTHCHECK --interval=1m30s --timeout=3s --start-period=500ms --retries=3 CMD test -f /ok || exit 1\n",
  },
  "HEALTHCHECK as a list, and none": { dockerfile: 'FROM scratch AS a\nHEALTHCHECK CMD ["test", "-f", "/ok"]\nFROM a\nHEALTHCHECK NONE\n' },
  "HEALTHCHECK after SHELL": { dockerfile: 'FROM scratch\nSHELL ["/bin/bash", "-c"]\nHEALTHCHECK CMD test -f /ok\n' },
  "ports, volumes, user, signal": {
    dockerfile:
      'FROM scratch\nEXPOSE 80 53/udp 8000-8002\nVOLUME /data /more\nVOLUME ["/list one"]\nUSER 1000:1000\nSTOPSIGNAL SIGINT\nMAINTAINER somebody\n',
  },
  stages: {
    dockerfile:
      "FROM scratch AS one\nCOPY src /srv\nENV A=1\nFROM one AS two\nCOPY a.txt /srv/deep/\nFROM scratch\nCOPY --from=one /srv /one\nCOPY --from=two /srv/deep/*.txt /two/\nCOPY --from=1 /srv/deep /deep/\n",
  },
  "a stage by its name": {
    dockerfile: "FROM scratch AS one\nCOPY a.txt /\nFROM one AS two\nLABEL two=2\nFROM two\nLABEL three=3\n",
    target: "TWO",
  },
  "ONBUILD is kept, not carried out": { dockerfile: "FROM scratch\nCOPY a.txt /\nONBUILD COPY . /src\nONBUILD RUN make\n" },
  "continued lines and comments": {
    dockerfile:
      '# a comment\nFROM scratch\nENV A=1 \\\n # in between\n\n  B=2\nLABEL a="one \\\n  two"\nCOPY a.txt \\\n  b.txt \\\n  /x/\n',
  },
  "another escape": { dockerfile: "# escape=`\nFROM scratch\nENV A=1 `\n  B=c:\\dir\nCOPY a.txt `\n /x/\n" },
  ".dockerignore": {
    dockerfile: "FROM scratch\nCOPY . /\n",
    ignore:
      "# what is left out\n**/*.log\n*.md\n!README.md\nbuild\n!build/keep.txt\nDockerfile\n.dockerignore\n/data/[12]*\nwith*\nlin?\n\n",
  },
  ".dockerignore of a folder that is taken back": {
    dockerfile: "FROM scratch\nCOPY . /\n",
    ignore: "*\n!src\nsrc/deep\n!src/deep/*.py\n!a.txt\n",
  },
  "onto a base: links, triggers, configuration": {
    dockerfile: "FROM BASE\nCOPY a.txt .\nCOPY src /srv\nENV HOME=$HOME/x\nLABEL from=here\n",
  },
  "onto a base: ENTRYPOINT takes CMD away": { dockerfile: 'FROM BASE\nENTRYPOINT ["/other"]\n' },
  "onto a base: over what is there": {
    dockerfile:
      "FROM BASE\nCOPY src/x.py /etc/a.txt\nCOPY --chown=9 data /opt/deep\nCOPY link /srv/old/x.py\nWORKDIR /opt\nWORKDIR /srv/old\n",
  },
  "onto a base: another stage's and the base's files": {
    dockerfile: "FROM BASE AS tools\nFROM scratch\nCOPY --from=tools /opt /copied\nCOPY --from=BASE /etc/a.txt /home/bio/ /both/\n",
  },
};

// An image of Docker's takes about a second; nobody else can say what Docker makes.
describe.runIf(hasDocker)("an image is what docker build makes: configuration, files, modes, owners", () => {
  test.each(Object.entries(CASES))(
    "%s",
    async (_, one) => {
      const tag = `omx-differential-base:${crypto.randomUUID()}`;
      const base =
        one.dockerfile.includes("BASE") && !one.dockerfile.includes("ARG BASE")
          ? await dockerBuild(await context({ dockerfile: BASE }), { tag })
          : undefined;
      // Docker saves no image without a layer.
      const dockerfile = `${base ? one.dockerfile.replaceAll("BASE", tag) : one.dockerfile}COPY a.txt /layer\n`;
      const folder = await context({ ...one, dockerfile });
      const theirs = await dockerBuild(folder, {
        args: [
          ...Object.entries(one.args ?? {}).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
          ...(one.target ? ["--target", one.target] : []),
        ],
      });
      const resolveBase: BuildOptions["resolveBase"] = (ref, platform) => (base ? Promise.resolve(base) : noBase(ref, platform));
      const outcome = await buildImage({
        context: folder,
        folder: await scratch(),
        resolveBase,
        buildArgs: one.args ?? {},
        ...(one.target && { target: one.target }),
      });
      if (outcome.kind !== "built") throw new Error(outcome.reason);
      expect(settingsOf(outcome.image.config)).toEqual(settingsOf(theirs.config));
      expect(await listing(outcome.image)).toEqual(await listing(theirs));
    },
    120_000,
  );
});
