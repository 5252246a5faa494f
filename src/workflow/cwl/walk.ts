import type { Diagnostic } from "../inspection.ts";
import type { Document, Documents } from "./documents.ts";
import type { MapNode, Node } from "./nodes.ts";
import { nameOf, type Process, requirementOf, stepsOf } from "./process.ts";
import { mainScope, type Scope, stepScope } from "./scope.ts";

/** A process that runs, in one place of the main process. */
export interface Use {
  readonly scope: Scope;
  /** The step that runs it; the main process by its own name. */
  readonly task: string;
}

/** Everything that runs when the main process does. */
export interface Running {
  readonly tools: readonly Use[];
  /** Workflows, expression tools and operations. */
  readonly others: readonly Use[];
  readonly documents: readonly Document[];
  readonly problems: readonly Diagnostic[];
}

/** Follows the steps of the main process, and of what they run. */
export function runningUnder(process: Process, documents: Documents): Running {
  const uses: Use[] = [];
  const problems: Diagnostic[] = [];
  const enter = (scope: Scope, task: string): void => {
    uses.push({ scope, task });
    for (const step of stepsOf(scope.process)) {
      const inner = stepScope(scope, step);
      if ("rule" in inner) problems.push(inner);
      else enter(inner, step.id);
    }
  };
  enter(mainScope(process, documents), nameOf(process) ?? stem(process.document.file));
  const isTool = ({ scope }: Use): boolean => scope.process.class === "CommandLineTool";
  return {
    tools: uses.filter(isTool),
    others: uses.filter((use) => !isTool(use)),
    documents: [...new Set(uses.map(({ scope }) => scope.process.document))],
    problems: distinct(problems),
  };
}

const stem = (file: string): string => (file.split("/").at(-1) ?? file).replace(/\.[^.]+$/, "");

interface Asked {
  readonly requirement?: MapNode | undefined;
  readonly hint?: MapNode | undefined;
}

/**
 * The requirement or hint that holds for a process: any requirement before any hint, a process's own before what it
 * inherits (CWL 1.2, section 5.2).
 */
export function effectiveRequirement(scope: Scope, name: string): MapNode | undefined {
  const own = askedBy(scope.process.node, name);
  if (own.requirement) return own.requirement;
  const outer = inherited(scope, name);
  return outer.requirement ?? own.hint ?? outer.hint;
}

/** To its steps a workflow hands on an inherited requirement before its own: so does cwltool, which runs it. */
function inherited({ within, step }: Scope, name: string): Asked {
  if (!within || !step) return {};
  const asked = askedBy(step.node, name);
  const own = askedBy(within.process.node, name);
  const outer = inherited(within, name);
  return { requirement: asked.requirement ?? outer.requirement ?? own.requirement, hint: asked.hint ?? own.hint ?? outer.hint };
}

const askedBy = (node: Node, name: string): Asked => ({
  requirement: requirementOf(node, "requirements", name),
  hint: requirementOf(node, "hints", name),
});

/** The items without those that are equal to an earlier one. */
export function distinct<T extends object>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
