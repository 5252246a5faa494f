import { expandWord, splitWords } from "./dockerfile-words.ts";
import { readFlags, WrongFlag } from "./dockerfile-flags.ts";

/** A text inside the Dockerfile that stands for a file (`COPY <<EOF /etc/x`). */
export interface Heredoc {
  readonly name: string;
  readonly content: string;
  /** Whether variables in it are replaced: not where its name is quoted. */
  readonly isExpanded: boolean;
}

/** One instruction, its continued lines joined and their comments left out. Lines start at 1. */
export interface Instruction {
  /** In upper case. */
  readonly keyword: string;
  /** `--from=build` is `{from: "build"}`; one without a value is `true`. */
  readonly flags: Readonly<Record<string, string>>;
  /** Each `--mount` of a RUN. */
  readonly mounts: readonly string[];
  /** What follows keyword and flags. */
  readonly text: string;
  /** The members of the JSON form (`["a", "b"]`), where it is one; of HEALTHCHECK, what follows its CMD. */
  readonly json?: readonly string[];
  readonly heredocs: readonly Heredoc[];
  readonly line: number;
  /** The last line of the instruction itself; its texts follow. */
  readonly lastLine: number;
}

export interface Dockerfile {
  /** The escape character: a backslash, or a backtick by directive. */
  readonly escape: string;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile that cannot be built as it is; the message begins with file and line. */
export class DockerfileError extends Error {
  override readonly name = "DockerfileError";
  readonly file: string;
  readonly line: number;
  constructor(at: { readonly file: string; readonly line: number }, says: string) {
    super(`${at.file}:${at.line}: ${says}`);
    this.file = at.file;
    this.line = at.line;
  }
}

const KEYWORDS = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(" "),
);

/**
 * Parses a Dockerfile as BuildKit does.
 * @throws DockerfileError for unknown instructions, flags and directives, and for texts without an end
 * @see https://docs.docker.com/reference/dockerfile/
 */
export function parseDockerfile(text: string, file: string): Dockerfile {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  const directives = readDirectives(lines, file);
  const escape = directives.get("escape") ?? "\\";
  const isOpen = directives.has("syntax");
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length;) {
    const { joined, next } = logicalLine(lines, at, escape);
    const place = { file, line: at + 1 };
    at = next;
    if (joined.trim() === "" || joined.trimStart().startsWith("#")) continue;
    const instruction = { ...readInstruction(joined, { ...place, isOpen }), lastLine: next };
    const { heredocs, end } = readHeredocs(instruction, lines, { ...place, at: next });
    const texts = lines
      .slice(next, end)
      .map((line) => `\n${line}`)
      .join("");
    instructions.push(
      instruction.keyword === "ONBUILD" ? { ...instruction, text: instruction.text + texts, heredocs: [] } : { ...instruction, heredocs },
    );
    at = end;
  }
  return { escape, instructions };
}

/** Reads one instruction that stands alone, as in an image's ONBUILD. @throws DockerfileError */
export function parseInstruction(text: string, at: { readonly file: string; readonly line: number }): Instruction {
  const [instruction] = parseDockerfile(text, at.file).instructions;
  if (!instruction) throw new DockerfileError(at, `"${text}" is not an instruction of a Dockerfile`);
  return { ...instruction, line: at.line, lastLine: at.line };
}

const DIRECTIVES: ReadonlySet<string> = new Set(["escape", "syntax", "check"]);

/** Directives are comments before everything else (`# escape=` and a backtick). */
function readDirectives(lines: readonly string[], file: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const [, word = "", value = ""] = /^\s*#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line) ?? [];
    const name = word.toLowerCase();
    if (!DIRECTIVES.has(name)) break;
    const place = { file, line: index + 1 };
    if (found.has(name)) throw new DockerfileError(place, `the directive ${name} is there twice`);
    if (name === "escape" && value !== "\\" && value !== "`")
      throw new DockerfileError(place, `escape=${value}: write a backslash or a backtick`);
    found.set(name, value);
  }
  return found;
}

/** Joins continued lines. Comments and blank lines between them are left out, as Docker does. */
function logicalLine(lines: readonly string[], start: number, escape: string): { readonly joined: string; readonly next: number } {
  // Of two at the end the first escapes the second.
  const ending = new RegExp(`(^|[^\\${escape}])\\${escape}[ \\t]*$`);
  let joined = "";
  let at = start;
  for (; at < lines.length; at += 1) {
    const line = (lines[at] ?? "").replace(/\r+$/, "");
    const isFirst = at === start;
    if (!isFirst && /^\s*(#|$)/.test(line)) continue;
    if (isFirst && /^\s*#/.test(line)) return { joined: line, next: at + 1 };
    if (!ending.test(line)) return { joined: joined + line, next: at + 1 };
    joined += line.replace(ending, "$1");
  }
  return { joined, next: at };
}

interface Place {
  readonly file: string;
  readonly line: number;
}

function readInstruction(text: string, place: Place & { readonly isOpen: boolean }): Omit<Instruction, "heredocs" | "lastLine"> {
  const [, word = "", after = ""] = /^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const keyword = word.toUpperCase();
  if (!KEYWORDS.has(keyword)) throw new DockerfileError(place, `"${word}" is not an instruction of a Dockerfile`);
  const { flags, mounts, rest } = flagsOf(keyword, after.trim(), place);
  if (rest === "" && keyword !== "RUN") throw new DockerfileError(place, `${keyword} needs an argument`);
  const json = WITH_JSON.has(keyword) ? jsonForm(keyword === "HEALTHCHECK" ? rest.replace(/^\S+\s*/, "") : rest, place) : undefined;
  return { keyword, flags, mounts, text: rest, line: place.line, ...(json ? { json } : {}) };
}

function flagsOf(keyword: string, text: string, place: Place & { readonly isOpen: boolean }): ReturnType<typeof readFlags> {
  try {
    return readFlags(keyword, text, place.isOpen);
  } catch (error) {
    throw error instanceof WrongFlag ? new DockerfileError(place, error.message) : error;
  }
}

const WITH_JSON = new Set(["ADD", "CMD", "COPY", "ENTRYPOINT", "HEALTHCHECK", "RUN", "SHELL", "VOLUME"]);

/** @throws DockerfileError for a list of something else than texts */
function jsonForm(text: string, place: Place): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Docker takes what is not JSON for the shell form: CMD [ -f /ok ].
    return undefined;
  }
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new DockerfileError(place, `${text} is a list of something else than texts: put every member in double quotes`);
}

/** Instructions that may be followed by texts (BuildKit's "here-documents"). */
const WITH_HEREDOCS = /^(?:(?:ONBUILD\s+)?(?:COPY|ADD|RUN))\b/i;

/** The name of a text as a word of an instruction has it (`<<EOF`, `<<-"EOF"`), and whether variables in it are replaced. */
export function heredocWord(
  word: string,
): { readonly name: string; readonly isChomped: boolean; readonly isExpanded: boolean } | undefined {
  const [, dash, quoted = ""] = /^\d*<<(-?)\s*([^<]+)$/.exec(word) ?? [];
  if (quoted === "") return undefined;
  const name = expandWord(quoted, (variable) => `$${variable}`);
  return { name, isChomped: dash === "-", isExpanded: !/["']/.test(quoted.replaceAll(/\\[\s\S]/g, "")) };
}

function readHeredocs(
  { keyword, text }: Pick<Instruction, "keyword" | "text">,
  lines: readonly string[],
  { file, line, at }: Place & { readonly at: number },
) {
  const heredocs: Heredoc[] = [];
  let end = at;
  if (!WITH_HEREDOCS.test(`${keyword} ${text}`)) return { heredocs, end };
  for (const word of splitWords(text.replaceAll(/<<[ \t]+/g, "<<"))) {
    const found = heredocWord(word);
    if (!found) continue;
    const { name, isChomped, isExpanded } = found;
    const start = end;
    const isEnd = (one = ""): boolean => (isChomped ? one.replace(/^\t+/, "") : one).replace(/\r+$/, "") === name;
    while (end < lines.length && !isEnd(lines[end])) end += 1;
    if (end >= lines.length) throw new DockerfileError({ file, line }, `the text <<${name} has no line ${name} at its end`);
    const content = lines
      .slice(start, end)
      .map((one) => `${isChomped ? one.replace(/^\t+/, "") : one}\n`)
      .join("");
    heredocs.push({ name, content, isExpanded });
    end += 1;
  }
  return { heredocs, end };
}
