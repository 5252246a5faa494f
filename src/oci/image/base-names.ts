import type { Platform } from "../manifest.ts";
import { parseDockerfile } from "./dockerfile.ts";
import { expandWord } from "./dockerfile-words.ts";
import { predefinedArgs, readStages } from "./stages.ts";

/**
 * The images that a Dockerfile starts from, as its FROM lines name them once their arguments are filled in; stages of
 * its own and `scratch` are none.
 * @throws DockerfileError
 */
export function baseNames(text: string, { file, buildArgs, platform }: { readonly file: string; readonly buildArgs: Readonly<Record<string, string>>; readonly platform: Platform }): readonly string[] {
  const { instructions, escape } = parseDockerfile(text, file);
  const { plans, globals } = readStages(instructions, { file, buildArgs, predefined: predefinedArgs(platform) });
  const stages = new Set(["scratch"]);
  const names = plans.flatMap(({ image, name }) => {
    const base = expandWord(image, (variable) => globals.get(variable), escape);
    const isStage = stages.has(base.toLowerCase());
    if (name !== undefined) stages.add(name);
    return isStage ? [] : [base];
  });
  return [...new Set(names)];
}
