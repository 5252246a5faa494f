import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { listing, noBase, scratch } from "../testing/build-fixtures.ts";
import { dockerBuild, hasDocker, settingsOf } from "../testing/docker-build.ts";
import { buildImage } from "./build.ts";

const FILES: Readonly<Record<string, string>> = {
  "environment.yml": "name: base\n",
  "conda-linux-64.lock": "lock",
  "entrypoint.sh*": "#!/bin/bash\n",
  "bin/align.py*": "#!/usr/bin/env python\n",
  "bin/call.R*": "#!/usr/bin/env Rscript\n",
  "bin/README": "r",
  "src/tool/__init__.py": "",
  "src/tool/main.py": "main",
  "src/tests/test_main.py": "test",
  "ref/chr1.fa": ">1\n",
  "ref/chr2.fa": ">2\n",
  "ref/chr1.fa.fai": "1",
  ".condarc": "channels",
  ".config/app/settings": "s",
  "with blank/a b.txt": "b",
  "docs/index.md": "d",
  "docs/.nojekyll": "",
  ".git/HEAD": "ref",
  ".dockerignore":
    ".git\n**/tests\ndocs/*.md\n!docs/index.md\n.dockerignore\nDockerfile\n*.tar.gz\n!rootfs.tar.gz\n!samtools.tar.gz\n!flat.tar.gz\n",
};

/** What a distribution's base has: /bin is a link, folders of several modes, users. */
const ROOT: Readonly<Record<string, string>> = {
  "usr/bin/bash*": "bash",
  "etc/passwd": "root:x:0:0::/root:/bin/bash\nmambauser:x:1000:1000::/home/mambauser:/bin/bash\nbio:x:1001:100::/home/bio:/bin/sh\n",
  "etc/group": "root:x:0:\nusers:x:100:\nmambauser:x:1000:\nlab:x:2000:bio\n",
  "opt/conda/bin/python*": "python",
  "opt/samtools/old": "old",
  "root/.bashrc": "rc",
  "usr/local/bin/tini*": "tini",
};

async function fill(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name.replace("*", ""));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await chmod(path, name.endsWith("*") ? 0o755 : 0o644);
  }
}

const pack = (file: string, folder: string, ...options: readonly string[]): void =>
  void execFileSync("tar", ["-czf", file, "-C", folder, "--sort=name", "--mtime=@0", "--numeric-owner", ...options, "."]);

/** A context with archives as projects publish them, and the files of the base. */
async function contextFor(dockerfile: string): Promise<string> {
  const [folder, root, release, flat] = [await scratch(), await scratch(), await scratch(), await scratch()];
  await fill(folder, FILES);
  await symlink("chr1.fa", join(folder, "ref/genome.fa"));
  await symlink("../bin", join(folder, "src/scripts"));
  await fill(root, ROOT);
  await symlink("usr/bin", join(root, "bin"));
  await symlink("samtools", join(root, "opt/current"));
  for (const [name, mode] of [
    ["tmp", 0o1777],
    ["opt/conda", 0o2775],
    ["root", 0o700],
    ["var/lib", 0o755],
  ] as const) {
    await mkdir(join(root, name), { recursive: true });
    await chmod(join(root, name), mode);
  }
  pack(join(folder, "rootfs.tar.gz"), root, "--owner=0", "--group=0");
  await fill(release, { "samtools-1.19/bin/samtools*": "samtools", "samtools-1.19/share/man/samtools.1": "man" });
  await symlink("samtools", join(release, "samtools-1.19/bin/samtools-1"));
  await symlink("samtools-1.19", join(release, "current"));
  execFileSync("ln", [join(release, "samtools-1.19/bin/samtools"), join(release, "samtools-1.19/bin/hard")]);
  pack(join(folder, "samtools.tar.gz"), release, "--owner=501", "--group=20", "--mode=g+w");
  await fill(flat, { tool: "flat", "conda/etc": "etc" });
  pack(join(folder, "flat.tar.gz"), flat, "--owner=7", "--group=8", "--mode=u=rwX,go=");
  await writeFile(join(folder, "Dockerfile"), dockerfile);
  return folder;
}

/** What one after another puts into a base. */
const FILE_LINES = [
  // Of conda
  "COPY --chown=mambauser:mambauser environment.yml conda*.lock /tmp/",
  "WORKDIR /home/mambauser",
  "COPY --chown=mambauser .condarc ./",
  // Scripts
  "COPY bin/* /usr/local/bin/",
  "COPY entrypoint.sh /bin/",
  "COPY entrypoint.sh /bin/run",
  // A package
  "ENV APP=/opt/app VERSION=1.19",
  "WORKDIR $APP",
  "COPY src ./src",
  "COPY src/tool/ ${APP}/lib/tool-${VERSION}/",
  "WORKDIR data/in",
  "COPY ref/chr?.fa ref/*.fai ../ref/",
  // A repository, dot files
  "WORKDIR /app",
  "COPY . .",
  "COPY .condarc /etc/conda/",
  "COPY .config /etc/skel/.config",
  "COPY docs /docs/",
  // Releases
  "ADD samtools.tar.gz /opt",
  "ADD samtools.tar.gz /opt/current/",
  "COPY samtools.tar.gz /opt/kept.tar.gz",
  "ADD flat.tar.gz /opt/",
  "ADD flat.tar.gz /usr/local/flat",
  "ADD environment.yml /opt/conda/",
  // Over folders of other modes
  "COPY environment.yml /opt/conda/deep/",
  "COPY --chown=3 src/tool /opt/conda/deep/tool",
  "COPY src /opt/conda/deep",
  "COPY --chown=4 docs /opt/conda",
  // Owners by name and number
  "COPY environment.yml /data/",
  "COPY --chown=bio:lab ref /data/ref",
  "COPY --chown=1001 bin /data/bin/",
  "COPY --chown=0:2000 environment.yml /data/new/deep/e.yml",
  "USER mambauser",
  "COPY environment.yml .",
  "ADD flat.tar.gz .",
  "USER 0",
  "WORKDIR /job/roots",
  // Links, blanks, twice to one place
  "COPY ref/genome.fa /ref/",
  "COPY ref /linked",
  "COPY src/scripts /scripts",
  'COPY ["with blank/a b.txt", "/to the/"]',
  'COPY ["with blank", "/all of it"]',
  "COPY environment.yml /x/e",
  "COPY conda-linux-64.lock /x/e",
  "COPY bin /x",
  "COPY src/tool /x/",
];

/** What the last stage takes of the one before, beside all of it. */
const STAGE_LINES = [
  "COPY --from=tool / /all/",
  "COPY --from=tool /opt/samtools-1.19/bin/samtools /usr/local/bin/",
  "COPY --from=tool /opt/current/ /opt/copied/",
  "COPY --from=tool --chown=bio:lab /data /data",
  "COPY --from=Tool /usr/local/bin/*.py /py/",
  "COPY --from=1 /tmp /t",
];

/** What each makes of the configuration. */
const CONFIG_CASES: Readonly<Record<string, string>> = {
  "labels, variables, places":
    'LABEL org.opencontainers.image.title="samtools" \\\n  org.opencontainers.image.version=1.19 \\\n  # which is not a label\n  "org.opencontainers.image.description"="one \\\n two"\nLABEL maintainer someone <a@b.org>\nLABEL about.tags=Genomics,Alignment empty=\nARG V=1.19\nARG FLAG\nENV PATH=/opt/samtools-${V}/bin:$PATH LC_ALL=C.UTF-8 LANG="C.UTF-8"\nENV CONDA_PREFIX /opt/conda\nENV PATH=$CONDA_PREFIX/bin:$PATH FLAGS="-x \\"$FLAG\\"" LITERAL=\'$PATH\' SET=${FLAG:+given}${FLAG:-none}\nEXPOSE 8787 8888/tcp 5000-5002/udp\nVOLUME /data /ref\nVOLUME ["/with blank"]\nUSER 1000:100\nWORKDIR /data\nWORKDIR sub\n',
  "lists and triggers":
    'SHELL ["/bin/bash", "--login", "-c"]\nENTRYPOINT ["/usr/local/bin/tini", "--"]\nCMD ["/bin/bash"]\nSTOPSIGNAL SIGTERM\nHEALTHCHECK --interval=1m --retries=2 CMD ["test", "-f", "/ok"]\nONBUILD COPY environment.yml /tmp/\nONBUILD RUN micromamba install -y -f /tmp/environment.yml\nONBUILD ENV DONE=1\n',
  "shells, and what is odd":
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nENTRYPOINT samtools view\nCMD [ -f /ok ] && echo hi\nHEALTHCHECK CMD [ -f /ok ]\nVOLUME [a]\nEXPOSE 8080:80\nSTOPSIGNAL SIGRTMIN+3\nENV A=1\\\\\nENV B="x \\\n  y" C=a\\ b\nLABEL old form "of it"\n',
};

// Where Docker's two builders disagree BuildKit is right (behaviour.md); nothing here is such a place. One build for all
// the files: it takes as long as its fifty steps.
describe.runIf(hasDocker)("Dockerfiles as they occur in bioinformatics give what docker build gives", () => {
  test("files, links, modes and owners", async () => {
    const context = await contextFor(
      `FROM scratch AS rootfs\nADD rootfs.tar.gz /\nFROM rootfs AS tool\n${FILE_LINES.join("\n")}\nFROM rootfs\n${STAGE_LINES.join("\n")}\n`,
    );
    const theirs = await dockerBuild(context);
    const outcome = await buildImage({ context, folder: await scratch(), resolveBase: noBase });
    if (outcome.kind !== "built") throw new Error(outcome.reason);
    expect(await listing(outcome.image)).toEqual(await listing(theirs));
  }, 300_000);

  test.each(Object.entries(CONFIG_CASES))(
    "%s",
    async (_, lines) => {
      const context = await contextFor(`ARG FROM=scratch\nARG V=0\nFROM \${FROM}\nENV PATH=/usr/bin\n${lines}COPY environment.yml /e\n`);
      const theirs = await dockerBuild(context, { args: ["--build-arg", "FLAG=given"] });
      const outcome = await buildImage({ context, folder: await scratch(), resolveBase: noBase, buildArgs: { FLAG: "given" } });
      if (outcome.kind !== "built") throw new Error(outcome.reason);
      expect(settingsOf(outcome.image.config)).toEqual(settingsOf(theirs.config));
    },
    300_000,
  );
});
