/** A flag that is not one, or not of this instruction; the message says what is. */
export class WrongFlag extends Error {
  override readonly name = "WrongFlag";
}

export interface ReadFlags {
  /** `--from=build` is `{from: "build"}`; one without a value is `true`. */
  readonly flags: Readonly<Record<string, string>>;
  /** Each `--mount` of a RUN. */
  readonly mounts: readonly string[];
  /** What follows. */
  readonly rest: string;
}

type Kind = "text" | "texts" | "yes or no";

const COPY_FLAGS = { chown: "text", chmod: "text", link: "yes or no", exclude: "texts" } as const;

/** BuildKit's frontend/dockerfile/instructions, 1.17 and its labs; an instruction that is not here has none. */
const FLAGS: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  ADD: { ...COPY_FLAGS, "keep-git-dir": "yes or no", checksum: "text", unpack: "yes or no" },
  COPY: { ...COPY_FLAGS, from: "text", parents: "yes or no" },
  FROM: { platform: "text" },
  RUN: { mount: "texts", network: "text", security: "text", device: "texts" },
  HEALTHCHECK: { interval: "text", timeout: "text", "start-period": "text", "start-interval": "text", retries: "text" },
};

/**
 * The flags between an instruction's keyword and its arguments.
 * @param isOpen whether flags of ADD, COPY and RUN that are not known are kept: the Dockerfile names a frontend
 * (`# syntax=`) that may know them
 * @throws WrongFlag
 */
export function readFlags(keyword: string, text: string, isOpen: boolean): ReadFlags {
  const { words, rest } = leading(text);
  const flags: Record<string, string> = {};
  const mounts: string[] = [];
  for (const word of words) {
    const [, name = "", value] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const kind = Object.hasOwn(FLAGS, keyword) && Object.hasOwn(FLAGS[keyword] ?? {}, name) ? FLAGS[keyword]?.[name] : undefined;
    if (kind === undefined && !(isOpen && OPEN.has(keyword))) throw new WrongFlag(`${keyword} has no flag --${name}; ${allOf(keyword)}`);
    if (Object.hasOwn(flags, name) && kind !== "texts") throw new WrongFlag(`--${name} is there twice`);
    if (kind !== undefined) check(name, kind, value);
    flags[name] = value ?? "true";
    if (name === "mount") mounts.push(value ?? "");
  }
  return { flags, mounts, rest };
}

/** Instructions to which versions of BuildKit's frontend added flags. */
const OPEN: ReadonlySet<string> = new Set(["ADD", "COPY", "RUN"]);

function check(name: string, kind: Kind, value: string | undefined): void {
  if (kind !== "yes or no") {
    if (value === undefined) throw new WrongFlag(`--${name} needs a value: write --${name}=…`);
  } else if (value !== undefined && !/^(?:true|false)$/i.test(value))
    throw new WrongFlag(`--${name}=${value}: write --${name}, or --${name}=false`);
}

function allOf(keyword: string): string {
  const names = Object.keys(FLAGS[keyword] ?? {}).map((name) => `--${name}`);
  return names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
}

/** The words in front that begin with two dashes; quotes keep blanks in them, a backslash what follows it. */
function leading(text: string): { readonly words: readonly string[]; readonly rest: string } {
  const words: string[] = [];
  let rest = text.trimStart();
  while (rest.startsWith("--")) {
    const [found = ""] = /^(?:\\[\s\S]?|"(?:\\[\s\S]|[^"\\])*"?|'(?:\\[\s\S]|[^'\\])*'?|[^\s\\"'])*/.exec(rest) ?? [];
    rest = rest.slice(found.length).trimStart();
    const word = found.replace(/\\([\s\S]?)|(["'])((?:\\[\s\S]|(?!\2)[^\\])*)\2?/g, (_, escaped?: string, quote?: string, inner = "") =>
      quote ? inner.replace(/\\([\s\S])/g, "$1") : (escaped ?? ""),
    );
    // Two dashes alone end the flags.
    if (word === "--") break;
    words.push(word);
  }
  return { words, rest };
}
