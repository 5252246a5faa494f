import { parseDockerfile } from "./dockerfile.ts";
import { splitWords } from "./dockerfile-words.ts";

/** Build arguments that have a meaning without an ARG (Dockerfile reference, "Predefined ARGs"; BuildKit's own). */
const PREDEFINED = /^(?:(?:HTTP|HTTPS|FTP|NO|ALL)_PROXY|BUILDKIT_.*|SOURCE_DATE_EPOCH)$/i;

/** The build arguments that no ARG of a Dockerfile asks for: Docker passes over them, and often they are misspelt. @throws DockerfileError */
export function unusedArgs(
  text: string,
  { file, buildArgs }: { readonly file: string; readonly buildArgs: Readonly<Record<string, string>> },
): readonly string[] {
  const { instructions, escape } = parseDockerfile(text, file);
  const asked = new Set(
    instructions.flatMap(({ keyword, text: words }) =>
      keyword === "ARG" ? splitWords(words, escape).map((word) => word.split("=")[0]) : [],
    ),
  );
  return Object.keys(buildArgs).filter((name) => !asked.has(name) && !PREDEFINED.test(name));
}
