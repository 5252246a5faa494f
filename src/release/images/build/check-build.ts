import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { baseUses } from "../../../oci/image/base-names.ts";
import { DockerfileError } from "../../../oci/image/dockerfile.ts";
import type { ImageBuild } from "../../project/omx-yaml.ts";
import { baseOptions, checkCopied, refOf } from "./bases.ts";

/** What is wrong with the Dockerfile of an image that a repository builds, as far as its files say; undefined where nothing is. */
export function checkBuild(root: string, { source, dockerfile, args, target }: ImageBuild): string | undefined {
  const context = join(root, source);
  const file = posix.join(source, dockerfile);
  try {
    const text = readFileSync(join(context, dockerfile), "utf8");
    const options = { ...baseOptions({ source_uri: "", target_image: target, dockerfile, build_args: args }), file };
    for (const use of baseUses(text, options)) if (use.isNeeded) refOf(use, { file, line: use.instruction.line });
    checkCopied(text, options, { context, called: `${posix.normalize(source)}, the folder that it is copied from` });
    return undefined;
  } catch (error) {
    if (error instanceof DockerfileError) return error.message;
    throw error;
  }
}
