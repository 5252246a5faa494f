import type { ImageUse, UnresolvedImage } from "../inspection.ts";
import { evaluate } from "./evaluate.ts";
import { isNull, member, type Node, textOfScalar } from "./nodes.ts";
import type { Alternative } from "./values.ts";
import { distinct, effectiveRequirement, type Use } from "./walk.ts";

/** The images of tools that run: each with where it is written and what would change it. */
export interface Images {
  readonly images: readonly ImageUse[];
  readonly unresolved: readonly UnresolvedImage[];
}

/** What the DockerRequirements of these tools come to. */
export const imagesOf = (uses: readonly Use[]): Images => ({
  images: distinct(uses.flatMap(imagesIn)),
  unresolved: distinct(uses.flatMap(unresolvedIn)),
});

interface Pull {
  readonly node: Node;
  readonly text: string;
  readonly alternatives: readonly Alternative[];
}

/** What `dockerPull` can be, or `dockerImageId` where the image has a name alone. */
function pullOf({ scope }: Use): Pull | undefined {
  const docker = effectiveRequirement(scope, "DockerRequirement");
  const node = [member(docker, "dockerPull"), member(docker, "dockerImageId")].find((each) => !isNull(each));
  const text = textOfScalar(node);
  return node && text !== undefined ? { node, text, alternatives: evaluate(text, scope) } : undefined;
}

const imageText = ({ json }: Alternative): string | undefined => (typeof json === "string" && json.trim() !== "" ? json.trim() : undefined);

function imagesIn(use: Use): readonly ImageUse[] {
  const pull = pullOf(use);
  return (pull?.alternatives ?? []).flatMap((each) => {
    const image = imageText(each);
    const [input] = each.inputs;
    const { file, line } = each.at ?? pull?.node.at ?? { file: "", line: 1 };
    if (image === undefined) return [];
    return [
      {
        image,
        task: use.task,
        file,
        line,
        how: each.how,
        ...(each.condition !== undefined && { condition: each.condition }),
        ...(input !== undefined && { input }),
      },
    ];
  });
}

/** One entry for each input that decides. */
function unresolvedIn(use: Use): readonly UnresolvedImage[] {
  const pull = pullOf(use);
  return (pull?.alternatives ?? []).flatMap((each) => {
    if (!pull || imageText(each) !== undefined) return [];
    const entry = { expression: pull.text, task: use.task, file: pull.node.at.file, line: pull.node.at.line };
    return each.inputs.length === 0 ? [entry] : each.inputs.map((input) => ({ ...entry, input }));
  });
}
