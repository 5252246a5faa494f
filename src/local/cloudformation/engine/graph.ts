import { validationError } from "./errors.ts";

/** For each node the nodes that come before it. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * The nodes in an order in which each comes after those it depends on, otherwise as they were given.
 * @throws AwsError ValidationError naming a cycle, each member before the one that depends on it
 */
export function inOrder(graph: Graph): readonly string[] {
  const ordered: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    if (done.has(node)) return;
    if (path.includes(node)) throw validationError(`Circular dependency between resources: [${path.slice(path.indexOf(node)).join(", ")}]`);
    path.push(node);
    for (const before of graph.get(node) ?? []) visit(before);
    path.pop();
    done.add(node);
    ordered.push(node);
  };
  for (const node of graph.keys()) visit(node);
  return ordered;
}

/** The same graph walked backwards: what depended on a node now comes before it. Nodes outside the graph are left out. */
export function reversed(graph: Graph): Graph {
  const result = new Map<string, string[]>([...graph.keys()].toReversed().map((node) => [node, []]));
  for (const [node, dependencies] of graph) for (const dependency of dependencies) result.get(dependency)?.push(node);
  return result;
}
