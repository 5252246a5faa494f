import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { DockerfileError } from "./dockerfile.ts";
import { BadPattern, globPart, globPattern, wholePath } from "./glob.ts";

/** Whether a path of the build context (without a slash in front) is kept out of the image. */
export type Ignored = (path: string) => boolean;

/** What a build leaves out of its context. */
export interface Dockerignore {
  /** The file that says so, relative to the context; there may be none. */
  readonly file?: string;
  readonly ignores: Ignored;
}

/**
 * What is left out of a context: `<dockerfile>.dockerignore` goes before `.dockerignore`.
 * @param dockerfile relative to the folder
 * @throws DockerfileError with file and line of a pattern that is not whole
 */
export async function readDockerignore(folder: string, dockerfile: string): Promise<Dockerignore> {
  for (const file of [`${dockerfile}.dockerignore`, ".dockerignore"]) {
    const text = await readFile(join(folder, file), "utf8").catch(() => undefined);
    if (text !== undefined) return { file, ignores: parseDockerignore(text, file) };
  }
  return { ignores: () => false };
}

/**
 * Reads a `.dockerignore`: one pattern a line, `!` takes back what an earlier line left out, `**` stands for any number
 * of folders. A pattern that fits a folder fits everything below it.
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 * @throws DockerfileError with the line of a pattern that is not whole
 */
export function parseDockerignore(text: string, file = ".dockerignore"): Ignored {
  const rules = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap((line, index) => {
      const pattern = line.trim();
      if (pattern === "" || line.startsWith("#")) return [];
      const isKept = pattern.startsWith("!");
      const clean = cleaned(isKept ? pattern.slice(1).trim() : pattern);
      try {
        if (isKept && (clean === "" || clean === "/")) throw new BadPattern("! takes nothing back: write what, as in !keep.txt");
        return [{ isKept, matches: ignorePattern(clean) }];
      } catch (error) {
        if (error instanceof BadPattern)
          throw new DockerfileError({ file, line: index + 1 }, `${pattern} is not a pattern: ${error.message}`);
        throw error;
      }
    });
  return (path) => rules.reduce((ignored, { isKept, matches }) => (isBelow(matches, path) ? !isKept : ignored), false);
}

/**
 * A pattern of Go's filepath.Match with `**` for any number of folders, as moby/patternmatcher reads it: at the end it is
 * everything, elsewhere whole folders, and in front of anything but a slash the end of a name.
 */
function ignorePattern(pattern: string): RegExp {
  // What is refused is what filepath.Match refuses.
  globPattern(pattern);
  if (/^\*\*[^*?[\]\\]*$/.test(pattern))
    return wholePath(`${pattern[2] === "/" ? "(?:.*/)?" : ".*"}${literal(pattern.slice(pattern[2] === "/" ? 3 : 2))}`);
  const parts: string[] = [];
  for (let at = 0; at < pattern.length;) {
    const isAny = pattern.startsWith("**", at);
    const part = isAny ? { source: "", next: at + (pattern[at + 2] === "/" ? 3 : 2) } : globPart(pattern, at);
    at = part.next;
    parts.push(isAny ? (at >= pattern.length ? ".*" : "(?:.*/)?") : part.source);
  }
  return wholePath(parts.join(""));
}

const literal = (text: string): string => [...text].map((char) => globPart(char, 0).source).join("");

/** Go's filepath.Clean, and without the slash in front. */
const cleaned = (pattern: string): string =>
  pattern === ""
    ? ""
    : posix
        .normalize(pattern)
        .replace(/(?<=.)\/$/, "")
        .replace(/^\/(?=.)/, "");

function isBelow(matches: RegExp, path: string): boolean {
  const parts = path.split("/");
  return parts.some((_, index) => matches.test(parts.slice(0, index + 1).join("/")));
}
