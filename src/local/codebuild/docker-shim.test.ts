import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dockerShim } from "./docker-shim.ts";

const ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
const ENDPOINT = "http://127.0.0.1:4577";
const MIRRORS = { "quay.io": "http://127.0.0.1:5001", "docker.io": "http://127.0.0.1:5002/hub/" };

/** A machine whose docker writes down how it is called, and which Dockerfile it is given. */
function machine(upstreams: Readonly<Record<string, string>> = MIRRORS) {
  const root = mkdtempSync(join(tmpdir(), "omx-shim-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [bin, real, src] = [join(root, "bin"), join(root, "real"), join(root, "src")];
  for (const folder of [bin, real, src]) mkdirSync(folder);
  const write = (file: string, text: string) => {
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  };
  write(join(bin, "docker"), dockerShim({ endpoint: ENDPOINT, bin, upstreams, folder: join(root, "dockerfiles") }));
  write(
    join(real, "docker"),
    `#!/usr/bin/env bash\nprintf '%s\\n' "$*" >> ${root}/calls\nwhile [ $# -gt 0 ]; do\n  if [ "$1" = --file ]; then cp "$2" ${root}/given; cp "$2.dockerignore" ${root}/ignored; fi\n  shift\ndone 2>/dev/null\nexit 0\n`,
  );
  return {
    file: (name: string, text: string) => writeFileSync(join(src, name), text),
    /** The calls that reach the real docker. */
    docker(...args: readonly string[]): readonly string[] {
      rmSync(join(root, "calls"), { force: true });
      execFileSync("docker", args, { cwd: src, env: { PATH: `${bin}:${real}:/usr/bin:/bin` }, stdio: ["ignore", "pipe", "pipe"] });
      return readFileSync(join(root, "calls"), "utf8").replaceAll(join(root, "dockerfiles"), "DOCKERFILES").trimEnd().split("\n");
    },
    given: () => (existsSync(join(root, "given")) ? readFileSync(join(root, "given"), "utf8") : undefined),
    ignored: () => readFileSync(join(root, "ignored"), "utf8"),
  };
}

test("a build reads its bases from mirrors and from the local ECR, whatever names them, and nothing else of the Dockerfile changes", () => {
  const { file, docker, given } = machine();
  file(
    "Dockerfile",
    `ARG FROM=quay.io/biocontainers/bwa\nFROM $FROM:0.7 AS one\nFROM ubuntu@sha256:${"a".repeat(64)}\nFROM ${ECR}/tools/x:1\nFROM ghcr.io/a/b:1\nFROM \\\n  quay.io/org/y AS last\nCOPY --from=quay.io/c/d:2 /x /x\nCOPY --from=one /y /quay.io/y\nRUN echo quay.io/org/y\n`,
  );
  const calls = docker("build", "-t", `${ECR}/mine:1`, "--label", `from=${ECR}/x`, ".");
  expect(calls).toEqual([
    expect.stringMatching(
      /^build --file DOCKERFILES\/[0-9a-f]{64}\.Dockerfile -t 127\.0\.0\.1:4577\/111122223333\/us-east-1\/mine:1 --label from=111122223333\.dkr\.ecr\.us-east-1\.amazonaws\.com\/x \.$/,
    ),
  ]);
  expect(given()).toBe(
    `ARG FROM=quay.io/biocontainers/bwa\nFROM 127.0.0.1:5001/biocontainers/bwa:0.7 AS one\nFROM 127.0.0.1:5002/hub/library/ubuntu@sha256:${"a".repeat(64)}\nFROM 127.0.0.1:4577/111122223333/us-east-1/tools/x:1\nFROM ghcr.io/a/b:1\nFROM \\\n  127.0.0.1:5001/org/y:latest AS last\nCOPY --from=127.0.0.1:5001/c/d:2 /x /x\nCOPY --from=one /y /quay.io/y\nRUN echo quay.io/org/y\n`,
  );
});

test("the Dockerfile that is named, its arguments and its .dockerignore are those of the call", () => {
  const { file, docker, given, ignored } = machine();
  for (const [form, at] of [
    [["-f", "x.Dockerfile"], "1"],
    [["-fx.Dockerfile"], "2"],
    [["--file=x.Dockerfile"], "3"],
    [["--file", "x.Dockerfile"], "4"],
  ] as const) {
    file("x.Dockerfile", "ARG TAG=0\nFROM quay.io/a/b:$TAG AS x\n");
    file("x.Dockerfile.dockerignore", at);
    const [call = ""] = docker("buildx", "build", ...form, "--build-arg", `TAG=${at}`, "--target=x", ".");
    expect(call).toMatch(new RegExp(`^buildx build --file DOCKERFILES/[0-9a-f]+\\.Dockerfile --build-arg TAG=${at} --target=x \\.$`));
    expect([given(), ignored()]).toEqual([`ARG TAG=0\nFROM 127.0.0.1:5001/a/b:${at} AS x\n`, at]);
  }
});

test("a pull comes from the mirror, and the image has the name that was asked for", () => {
  const { docker } = machine();
  expect(docker("pull", "--quiet", "quay.io/a/b:1")).toEqual([
    "pull --quiet 127.0.0.1:5001/a/b:1",
    "tag 127.0.0.1:5001/a/b:1 quay.io/a/b:1",
  ]);
  expect(docker("image", "pull", "ubuntu:20.04")).toEqual([
    "image pull 127.0.0.1:5002/hub/library/ubuntu:20.04",
    "tag 127.0.0.1:5002/hub/library/ubuntu:20.04 ubuntu:20.04",
  ]);
  expect(docker("pull", `${ECR}/x:1`)).toEqual(["pull 127.0.0.1:4577/111122223333/us-east-1/x:1"]);
});

test("what has no other address, and what is no build, is called as it is", () => {
  const { file, docker, given } = machine();
  file("Dockerfile", "FROM scratch\nFROM ghcr.io/a/b\n");
  file("broken", "FRMO quay.io/a/b\n");
  for (const call of [
    ["build", "."],
    ["build", "-f", "broken", "."],
    ["build", "-f", "none", "."],
    ["build", "-"],
    ["build", "https://example.org/x.git"],
    ["pull", "ghcr.io/a/b:1"],
    ["run", "quay.io/a/b:1", "build"],
    ["compose", "pull"],
  ])
    expect(docker(...call)).toEqual([call.join(" ")]);
  expect(given()).toBeUndefined();
  const bare = machine({});
  bare.file("Dockerfile", "FROM quay.io/a/b\n");
  expect(bare.docker("build", ".")).toEqual(["build ."]);
});
