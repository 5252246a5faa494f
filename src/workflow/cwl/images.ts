import type { Diagnostic, ImageUse, UnresolvedImage } from "../inspection.ts";
import type { Document, Documents } from "./documents.ts";
import { evaluate } from "./evaluate.ts";
import { isNull, type MapNode, member, type Node, textOfScalar } from "./nodes.ts";
import { nameOf, type Process, requirementOf, stepsOf } from "./process.ts";
import { mainScope, type Scope, stepScope } from "./scope.ts";
import type { Alternative } from "./values.ts";

/** The images of everything that runs. */
export interface Images {
  readonly images: readonly ImageUse[];
  readonly unresolved: readonly UnresolvedImage[];
  /** The documents whose processes run. */
  readonly used: readonly Document[];
  readonly problems: readonly Diagnostic[];
}

/** A tool that runs and the DockerRequirement that holds for it. */
export interface Use {
  readonly scope: Scope;
  readonly task: string;
  readonly docker?: MapNode;
}

/** Every image that a CommandLineTool under this process can use, each with where it is written and what would change it. */
export function imagesOf(process: Process, documents: Documents): Images {
  const walk = new Walk();
  const main = mainScope(process, documents);
  walk.enter(main, nameOf(process) ?? stem(process.document.file), {});
  return {
    images: distinct(walk.uses.flatMap(imagesIn)),
    unresolved: distinct(walk.uses.flatMap(unresolvedIn)),
    used: [...walk.used],
    problems: distinct(walk.problems),
  };
}

const stem = (file: string): string => (file.split("/").at(-1) ?? file).replace(/\.[^.]+$/, "");

/** The DockerRequirements that workflows and steps around a process hand on. */
interface Inherited {
  readonly requirement?: MapNode | undefined;
  readonly hint?: MapNode | undefined;
}

class Walk {
  readonly uses: Use[] = [];
  readonly problems: Diagnostic[] = [];
  readonly used = new Set<Document>();

  /**
   * Any requirement comes before any hint, and a process's own before what it inherits (CWL 1.2, section 5.2). To its
   * steps a workflow hands on an inherited requirement before its own: so does cwltool, which runs it.
   */
  enter(scope: Scope, task: string, outer: Inherited): void {
    const { process } = scope;
    this.used.add(process.document);
    const own = dockerOf(process.node);
    const hint = own.hint ?? outer.hint;
    if (process.class === "CommandLineTool") {
      const docker = own.requirement ?? outer.requirement ?? hint;
      this.uses.push({ scope, task, ...(docker && { docker }) });
    }
    for (const step of stepsOf(process)) {
      const inner = stepScope(scope, step);
      const asked = dockerOf(step.node);
      const requirement = asked.requirement ?? outer.requirement ?? own.requirement;
      if ("rule" in inner) this.problems.push(inner);
      else this.enter(inner, step.id, { requirement, hint: asked.hint ?? hint });
    }
  }
}

const dockerOf = (node: Node): Inherited => ({
  requirement: requirementOf(node, "requirements", "DockerRequirement"),
  hint: requirementOf(node, "hints", "DockerRequirement"),
});

interface Pull {
  readonly node: Node;
  readonly text: string;
  readonly alternatives: readonly Alternative[];
}

/** What `dockerPull` can be, or `dockerImageId` where the image has a name alone. */
function pullOf({ scope, docker }: Use): Pull | undefined {
  const node = [member(docker, "dockerPull"), member(docker, "dockerImageId")].find((each) => !isNull(each));
  const text = textOfScalar(node);
  return node && text !== undefined ? { node, text, alternatives: evaluate(text, scope) } : undefined;
}

const imageText = ({ json }: Alternative): string | undefined =>
  typeof json === "string" && json.trim() !== "" ? json.trim() : undefined;

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

function distinct<T extends object>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
