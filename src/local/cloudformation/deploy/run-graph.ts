import type { Graph } from "../engine/graph.ts";

/** Work over a graph. */
export interface GraphWork {
  readonly graph: Graph;
  /** How many nodes are worked on at once. */
  readonly parallel: number;
  /** Nodes whose work began before: they are finished first, whatever happened to others. */
  readonly begun: ReadonlySet<string>;
  /** Whether no further node may begin; those under way are waited for. */
  isStopped(): boolean;
  /** Does a node's work. False where it failed: what depends on the node is then left out. */
  work(node: string): Promise<boolean>;
}

/**
 * Does the work of all nodes, each after those it depends on, as many at once as allowed.
 * @throws the first error a work throws, after all that was under way has ended
 */
export async function runGraph({ graph, parallel, begun, isStopped, work }: GraphWork): Promise<void> {
  const waiting = new Map(
    [...graph].map(([node, dependencies]) => [node, new Set(dependencies.filter((dependency) => graph.has(dependency)))]),
  );
  const underWay = new Set<Promise<void>>();
  const thrown: unknown[] = [];
  const start = (node: string): void => {
    waiting.delete(node);
    const done: Promise<void> = work(node)
      .then((isDone) => {
        if (isDone) for (const dependencies of waiting.values()) dependencies.delete(node);
      })
      .catch((error: unknown) => void thrown.push(error))
      .finally(() => underWay.delete(done));
    underWay.add(done);
  };
  for (const node of begun) if (graph.has(node)) start(node);
  for (;;) {
    for (const [node, dependencies] of waiting) {
      if (underWay.size >= parallel || thrown.length > 0 || isStopped()) break;
      if (dependencies.size === 0) start(node);
    }
    if (underWay.size === 0) break;
    await Promise.race(underWay);
  }
  if (thrown.length > 0) throw thrown[0];
}
