import { formatPlatform, type Platform } from "../manifest.ts";
import { type Instruction, parseDockerfile } from "./dockerfile.ts";
import { expandWord, splitWords } from "./dockerfile-words.ts";
import { predefinedArgs, readStages } from "./stages.ts";

export interface ClassicOptions {
  readonly file: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platform: Platform;
  /** Of the machine that runs the commands. */
  readonly buildPlatform: Platform;
  /** An empty image for the platform. @default - `scratch` stays what it is */
  readonly scratch?: string | undefined;
}

/**
 * A Dockerfile as Docker's classic builder can read it: that knows no `$BUILDPLATFORM`, and its `scratch` is for its own machine.
 * All other lines stay as they are, and the number of each.
 * @throws DockerfileError
 */
export function forClassicBuilder(text: string, { file, buildArgs, platform, buildPlatform, scratch }: ClassicOptions): string {
  const { instructions, escape } = parseDockerfile(text, file);
  const { plans, globals } = readStages(instructions, { file, escape, buildArgs, predefined: platformArgs(platform, buildPlatform) });
  const expand = (word: string): string => expandWord(word, (variable) => globals.get(variable), escape);
  const lines = text.split("\n");
  for (const { from, image, platform: asked } of plans) {
    const value = asked === undefined ? "" : expand(asked);
    if (value !== "") replaceIn(lines, from, { pattern: /--platform=\S+/, by: `--platform=${value}` });
    if (scratch !== undefined && asked === undefined && image === "scratch")
      replaceIn(lines, from, { pattern: /(?<=^|\s)scratch(?=\s|$)/, by: scratch });
  }
  return lines.join("\n");
}

function replaceIn(
  lines: string[],
  { line, lastLine }: Instruction,
  { pattern, by }: { readonly pattern: RegExp; readonly by: string },
): void {
  const at = lines.findIndex((text, index) => index >= line - 1 && index < lastLine && pattern.test(text));
  if (at >= 0) lines[at] = (lines[at] ?? "").replace(pattern, () => by);
}

/** The variables of platforms that a Dockerfile declares and nobody gives: BuildKit sets them, the classic builder leaves them empty. */
export function declaredPlatformArgs(
  text: string,
  { file, buildArgs, platform, buildPlatform }: ClassicOptions,
): Readonly<Record<string, string>> {
  const { instructions, escape } = parseDockerfile(text, file);
  const declared = new Set(instructions.flatMap(({ keyword, text: words }) => (keyword === "ARG" ? splitWords(words, escape) : [])));
  return Object.fromEntries(
    Object.entries(platformArgs(platform, buildPlatform)).filter(([name]) => declared.has(name) && !Object.hasOwn(buildArgs, name)),
  );
}

/** As {@link predefinedArgs}, with the machine that builds. */
function platformArgs(platform: Platform, buildPlatform: Platform): Readonly<Record<string, string>> {
  const of = (side: string, one: Platform) => Object.entries(predefinedArgs(one)).filter(([name]) => name.startsWith(side));
  return Object.fromEntries([...of("TARGET", platform), ...of("BUILD", buildPlatform)]);
}

/** Whether a Dockerfile for another platform needs an empty image of that platform. */
export const namesScratch = (text: string): boolean => /^\s*from\s[^\n]*\bscratch\b/im.test(text);

/** What such an image is called. */
export const scratchFor = (platform: Platform): string => `localhost/omx-scratch:${formatPlatform(platform).replaceAll("/", "-")}`;
