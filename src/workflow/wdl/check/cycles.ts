import type { Node } from "./scope.ts";

/** A node that needs itself through others; undefined when there is none. */
export function findCycle(needs: ReadonlyMap<Node, ReadonlySet<Node>>): Node | undefined {
  const done = new Set<Node>();
  for (const root of needs.keys()) {
    const found = done.has(root) ? undefined : searchFrom(root, needs, done);
    if (found) return found;
  }
  return undefined;
}

/** Depth first with a list of its own: a chain of needs may be as long as the document. */
function searchFrom(root: Node, needs: ReadonlyMap<Node, ReadonlySet<Node>>, done: Set<Node>): Node | undefined {
  const open = new Set<Node>([root]);
  const path = [{ node: root, rest: [...(needs.get(root) ?? [])] }];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const next = top.rest.pop();
    if (!next) {
      path.pop();
      open.delete(top.node);
      done.add(top.node);
    } else if (open.has(next)) return next;
    else if (!done.has(next)) {
      open.add(next);
      path.push({ node: next, rest: [...(needs.get(next) ?? [])] });
    }
  }
  return undefined;
}
