/** The versions of WDL in order; what a document may write depends on its place here. */
const RANKS: Readonly<Record<string, number>> = { "draft-2": 0, "draft-3": 1, "1.0": 1, "1.1": 2, "1.2": 3, development: 4 };

/** The place of a version; a version nobody knows reads as the newest. */
export const rankOf = (version: string | undefined): number =>
  (Object.hasOwn(RANKS, version ?? "draft-2") ? RANKS[version ?? "draft-2"] : undefined) ?? 4;

/** "draft-3" was 1.0 before it was out, and is read as that; no engine of today takes it. */
export const isKnownVersion = (version: string): boolean => Object.hasOwn(RANKS, version) && version !== "draft-3";

export const DRAFT_2 = 0;
export const V1_0 = 1;
export const V1_1 = 2;
export const V1_2 = 3;

const DRAFT_2_WORDS =
  "Array File Float Int Map None Pair String as call command else false if import input left meta object output " +
  "parameter_meta right runtime scatter task then true workflow";
const KEYWORDS: readonly ReadonlySet<string>[] = [
  new Set(DRAFT_2_WORDS.split(" ")),
  new Set(`${DRAFT_2_WORDS} alias struct`.split(" ")),
  new Set(`${DRAFT_2_WORDS} alias struct Directory env hints requirements`.split(" ")),
];

/** Whether `name` is reserved in a version, so that nothing may be called so. */
export const isKeyword = (name: string, rank: number): boolean => KEYWORDS[rank >= V1_2 ? 2 : rank >= V1_0 ? 1 : 0]?.has(name) ?? false;

/** The version line: the first line that is neither blank nor a comment, when it begins with `version`. */
export function versionLine(text: string): { readonly version: string; readonly end: number } | undefined {
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).trim();
    if (line !== "" && !line.startsWith("#")) {
      const version = /^version[ \t]+([^\s#]+)/.exec(line)?.[1];
      return version === undefined ? undefined : { version, end: text.indexOf(version, start + 7) + version.length };
    }
    start = end + 1;
  }
  return undefined;
}
