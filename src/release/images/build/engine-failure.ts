import { parseDockerfile } from "../../../oci/image/dockerfile.ts";
import { ReleaseError } from "../../errors.ts";
import { lastLines } from "../last-lines.ts";
import type { Ended, Engine } from "./engine.ts";
import { type Dialect, OWN_PLATFORM } from "./engine-dialect.ts";

/** What an engine was to build. */
export interface Attempt {
  readonly dialect: Dialect;
  readonly platform: string;
  /** The Dockerfile, and what its source calls it. */
  readonly text: string;
  readonly file: string;
}

/** What to say of a build that failed: what the engine said of it last, and what would help where it does not say that itself. */
export function buildFailed(engine: Engine, ended: Ended, attempt: Attempt): ReleaseError {
  const step = attempt.dialect === "BuildKit" ? failedStep(ended.lines) : undefined;
  // Who reads the engine's output itself has its last lines before the eyes; BuildKit ends with the Dockerfile.
  const said = step ?? (engine.onLine ? ended.lines : []);
  const advice = adviceOn(ended, attempt);
  return new ReleaseError("ImagesFailed", {
    says: [
      `${engine.program} build ended with exit status ${ended.code}${said.length > 0 ? `:\n${lastLines(said)}` : ""}`,
      ...(advice === undefined ? [] : [advice]),
    ].join("\n"),
    blame: "user",
    fix: "correct the Dockerfile or its source, and start again",
  });
}

/**
 * What BuildKit says of the step that failed. It repeats some of it at the end, and shows the whole instruction below: of a long RUN
 * that is all that the last lines would hold.
 */
function failedStep(lines: readonly string[]): readonly string[] | undefined {
  const number = lines.map((line) => /^#(\d+) ERROR: /.exec(line)?.[1]).findLast(Boolean);
  return number === undefined
    ? undefined
    : [...lines.filter((line) => line.startsWith(`#${number} `)), lines.findLast((line) => line.startsWith("ERROR: ")) ?? ""];
}

function adviceOn({ lines }: Ended, { dialect, platform, text, file }: Attempt): string | undefined {
  const says = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  // The kernel knows neither its processor nor an emulation of it.
  if (platform !== OWN_PLATFORM && says(/exec format error/i)) return foreignAdvice(platform);
  const heredoc = parseDockerfile(text, file).instructions.find(({ heredocs }) => heredocs.length > 0);
  if (heredoc && says(/unknown instruction/i))
    return `${file}:${heredoc.line}: this engine does not know texts in a Dockerfile (<<): ${dialect === "own" ? "Buildah 1.33 and Podman 4.8 do" : `${dialect === "classic" ? "install Docker's buildx; " : ""}Docker 23 and newer do, and any BuildKit where the Dockerfile begins with # syntax=docker/dockerfile:1`}`;
  if (failedStep(lines)?.some((line) => /^#\d+ resolve image config for /.test(line)))
    return `the # syntax line of ${file} names an image that BuildKit fetches to read the Dockerfile: leave the line out, or name a copy of the image that this machine can read`;
  return undefined;
}

/** @see https://docs.docker.com/build/building/multi-platform/#qemu */
const foreignAdvice = (platform: string): string =>
  `this machine does not run programs for ${platform}: install QEMU and have the kernel use it (apt-get install qemu-user-static binfmt-support, or docker run --privileged --rm tonistiigi/binfmt --install ${platform.split("/")[1]}), and build again. In CodeBuild there is no QEMU: build this image with omx images build on a machine that has it, or leave ${platform} out of its platforms, for HealthOmics runs tasks on linux/amd64`;
