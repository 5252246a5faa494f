import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD } from "../local/testing/accounts.ts";
import { enginesHere, writeBashSource } from "./testing/bash-image.ts";
import { type BuildLab, openBuildLab } from "./testing/build-lab.ts";
import { cliAt } from "./testing/in-process.ts";

const MS = 300_000;
const HERE = enginesHere();

let lab: BuildLab;
beforeAll(async () => {
  lab = await openBuildLab();
  using cli = cliAt(lab.accounts);
  writeBashSource(join(cli.folder, "base"));
  await lab.build(cli, join(cli.folder, "base"), "machine/base:1");
}, MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

function write(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

const real = (program: string): string => execFileSync("which", [program], { encoding: "utf8" }).trim();

/**
 * A plug-in that does what buildx does, by the classic builder, and writes down what it was told. What it says of the image is what
 * buildx 0.25 says on a Docker 28 that keeps its images in containerd: by the configuration's digest, in `--iidfile`, nothing is found.
 */
const buildxIn = (folder: string): string => `#!/usr/bin/env bash
[ "$1" = docker-cli-plugin-metadata ] && { echo '{"SchemaVersion":"0.1.0","Vendor":"tests","Version":"v0.25.0"}'; exit; }
shift
[ "$1" = version ] && exit
shift
docker context inspect --format '{{.Endpoints.docker.Host}}' > ${folder}/host
cp "$DOCKER_CONFIG/config.json" ${folder}/given.json
env > ${folder}/env
args=()
while [ $# -gt 0 ]; do
  case "$1" in
    --load) ;;
    --progress) shift ;;
    --metadata-file) notes="$2"; shift ;;
    --iidfile) echo sha256:${"0".repeat(64)} > "$2"; shift ;;
    *) args+=("$1") ;;
  esac
  shift
done
DOCKER_BUILDKIT=0 docker build --iidfile ${folder}/id "\${args[@]}" || exit
[ -z "$notes" ] || echo "{\\"containerimage.config.digest\\":\\"sha256:${"0".repeat(64)}\\",\\"containerimage.digest\\":\\"$(cat ${folder}/id)\\"}" > "$notes"
`;

describe.runIf(HERE.includes("docker"))("Docker as its user has set it up", () => {
  /** A home with a plug-in, a context and a login of its own. */
  function home() {
    const cli = cliAt(lab.accounts);
    const [docker, socket, source] = [join(cli.folder, ".docker"), join(cli.folder, "my.sock"), join(cli.folder, "source")];
    symlinkSync("/var/run/docker.sock", socket);
    write(join(docker, "cli-plugins", "docker-buildx"), buildxIn(cli.folder));
    write(
      join(docker, "contexts", "meta", createHash("sha256").update("mine").digest("hex"), "meta.json"),
      JSON.stringify({ Name: "mine", Metadata: {}, Endpoints: { docker: { Host: `unix://${socket}` } } }),
    );
    write(
      join(docker, "config.json"),
      JSON.stringify({
        currentContext: "mine",
        auths: { "127.0.0.1:1": { auth: "c2VjcmV0" } },
        proxies: { default: { noProxy: "mine.example" } },
      }),
    );
    write(
      join(source, "Dockerfile"),
      `FROM ${CICD}.dkr.ecr.us-east-1.amazonaws.com/machine/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo ${crypto.randomUUID()} > /made\n`,
    );
    return {
      cli,
      socket,
      source,
      text: (name: string) => (existsSync(join(cli.folder, name)) ? readFileSync(join(cli.folder, name), "utf8") : undefined),
    };
  }

  test(
    "its plug-ins, its context and its proxies are used, its logins are not; what would change the image is left out",
    async () => {
      const { cli, socket, source, text } = home();
      using own = cliAt(lab.accounts, {
        home: cli.folder,
        inherited: {
          PATH: process.env["PATH"] ?? "",
          HOME: cli.folder,
          DOCKER_DEFAULT_PLATFORM: "linux/arm64",
          BUILDX_BUILDER: "elsewhere",
        },
      });
      using _ = cli;
      expect(await lab.build(own, source, "machine/own:1")).toMatchObject({
        status: "BUILT",
        engine: "docker",
        reason: "built by an engine",
      });
      expect(text("host")).toBe(`unix://${socket}\n`);
      const given = JSON.parse(text("given.json")!) as { auths: object; proxies: object };
      expect(given.proxies).toEqual({ default: { noProxy: "mine.example" } });
      expect(Object.keys(given.auths)).toEqual([new URL(lab.accounts.url).host]);
      expect(text("env")).toContain("BUILDX_NO_DEFAULT_ATTESTATIONS=1");
      expect(text("env")).not.toMatch(/DOCKER_DEFAULT_PLATFORM|BUILDX_BUILDER/);
    },
    MS,
  );

  test(
    "DOCKER_BUILDKIT=0 is the classic builder, whatever plug-in is there",
    async () => {
      const { cli, source, text } = home();
      using own = cliAt(lab.accounts, {
        home: cli.folder,
        inherited: { PATH: process.env["PATH"] ?? "", HOME: cli.folder, DOCKER_BUILDKIT: "0" },
      });
      using _ = cli;
      expect(await lab.build(own, source, "machine/classic:1")).toMatchObject({ status: "BUILT", engine: "docker" });
      expect(text("host")).toBeUndefined();
    },
    MS,
  );
});

test.runIf(HERE.includes("podman"))(
  "a `docker` that is Podman is Podman",
  async () => {
    using cli = cliAt(lab.accounts);
    const bin = join(cli.folder, "bin");
    write(join(bin, "docker"), `#!/bin/sh\nexec ${real("podman")} "$@"\n`);
    write(
      join(cli.folder, "source", "Dockerfile"),
      `FROM ${CICD}.dkr.ecr.us-east-1.amazonaws.com/machine/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo ${crypto.randomUUID()} > /made\n`,
    );
    using own = cliAt(lab.accounts, { path: `${bin}${delimiter}${process.env["PATH"] ?? ""}` });
    expect(await lab.build(own, join(cli.folder, "source"), "machine/podman:1")).toMatchObject({ status: "BUILT", engine: "podman" });
  },
  MS,
);
