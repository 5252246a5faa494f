import { expect, test } from "vitest";
import { buildFailed } from "./engine-failure.ts";
import { OWN_PLATFORM } from "./engine-dialect.ts";

const FILE = { platform: OWN_PLATFORM ?? "", file: "tools/Dockerfile" };
const ended = (text: string) => ({ code: 1, lines: text.trim().split("\n") });
const RUN = Array.from({ length: 30 }, (_, index) => `echo step ${index} &&`).join("     ");

// Docker 28.5.2 and buildx 0.25.0, as they said it, but for the number of lines.
const BUILDKIT = `
#0 building with "default" instance using docker driver
#5 importing cache manifest from 127.0.0.1:4599/111122223333/us-east-1/eng/fail:1
#5 ERROR: failed to configure registry cache importer: not found
#6 [other 1/1] RUN something else
#6 0.111 of another stage
#7 [2/2] RUN ${RUN}     echo "E: Unable to locate package samtoolz" >&2 && exit 7
#7 0.255 step 29
#6 0.256 of another stage, too
#7 0.257 E: Unable to locate package samtoolz
#7 ERROR: process "/bin/sh -c ${RUN}     echo \\"E: Unable to locate package samtoolz\\" >&2 && exit 7" did not complete successfully: exit code: 7
------
 > [2/2] RUN ${RUN}     echo "E: Unable to locate package samtoolz" >&2 && exit 7:
0.257 E: Unable to locate package samtoolz
------
Dockerfile:2
--------------------
   1 |     FROM 127.0.0.1:4599/111122223333/us-east-1/eng/bb@sha256:84b7
${Array.from({ length: 30 }, (_, index) => `   ${index + 2} | >>>     echo step ${index} && \\`).join("\n")}
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c ${RUN}" did not complete successfully: exit code: 7
`;

test.each([
  ["who sees the engine's output", () => undefined],
  ["a build's log", undefined],
] as const)("of BuildKit the step that failed is told, and not the Dockerfile that it shows below: %s", (_, onLine) => {
  const { message } = buildFailed({ program: "docker", env: {}, ...(onLine && { onLine }) }, ended(BUILDKIT), {
    ...FILE,
    dialect: "BuildKit",
    text: "FROM scratch\nRUN x\n",
  });
  const lines = message.split("\n");
  expect(lines[0]).toBe("docker build ended with exit status 1:");
  expect(lines).toContain("#7 0.257 E: Unable to locate package samtoolz");
  expect(lines.at(-1)).toMatch(/^ERROR: failed to build: .*exit code: 7$/);
  expect(message).not.toMatch(/of another stage|>>>|cache importer/);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(500);
});

test.each([
  [
    "BuildKit",
    "ERROR: failed to build: failed to solve: dockerfile parse error line 5: unknown instruction: ECHO",
    /tools\/Dockerfile:2: .*Docker 23 and newer do, and any BuildKit where .*# syntax=docker\/dockerfile:1/,
  ],
  [
    "classic",
    "Error response from daemon: dockerfile parse error line 5: unknown instruction: ECHO",
    /tools\/Dockerfile:2: .*install Docker's buildx/,
  ],
  [
    "own",
    'Error: building at STEP "ECHO ": Build error: Unknown instruction: "ECHO"',
    /tools\/Dockerfile:2: .*Buildah 1.33 and Podman 4.8/,
  ],
] as const)("a text in the Dockerfile that the engine does not know is told with who does: %s", (dialect, says, advice) => {
  const engine = { program: "docker", env: {}, onLine: () => undefined } as const;
  expect(buildFailed(engine, ended(says), { ...FILE, dialect, text: "FROM scratch\nRUN <<EOF\necho one\nEOF\n" }).message).toMatch(advice);
  expect(buildFailed(engine, ended(says), { ...FILE, dialect, text: "FROM scratch\nRUN echo one\n" }).message).not.toMatch(/tools/);
});

test("an image of a # syntax line that can't be had is told as that", () => {
  const offline = `
#2 resolve image config for docker-image://docker.io/docker/dockerfile:1.7
#2 ERROR: failed to do request: Head "https://registry-1.docker.io/v2/docker/dockerfile/manifests/1.7": dial tcp: no such host
------
 > resolve image config for docker-image://docker.io/docker/dockerfile:1.7:
------
ERROR: failed to build: failed to solve: failed to resolve source metadata for docker.io/docker/dockerfile:1.7: no such host
`;
  const of = { ...FILE, dialect: "BuildKit", text: "# syntax=docker/dockerfile:1.7\nFROM scratch\n" } as const;
  expect(buildFailed({ program: "docker", env: {} }, ended(offline), of).message).toMatch(
    /no such host\nthe # syntax line of tools\/Dockerfile names an image/,
  );
});
