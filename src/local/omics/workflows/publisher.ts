import type { DefinitionKey, Omics } from "../omics.ts";
import { publishDefinition } from "./publish.ts";

// A check takes half a second of one CPU: more at once would only make each slower.
const AT_ONCE = 2;

/** Publishes definitions in the background, a few at a time, in the order of their creation. */
export function createPublisher(omicsOf: () => Omics): { publish(key: DefinitionKey): void } {
  const waiting: DefinitionKey[] = [];
  let working = 0;

  function next(): void {
    const key = working < AT_ONCE ? waiting.shift() : undefined;
    if (key === undefined) return;
    working++;
    omicsOf().core.background(`omics workflow ${key.workflowId}`, () =>
      publishDefinition(omicsOf(), key).finally(() => {
        working--;
        next();
      }),
    );
  }
  return {
    publish(key) {
      waiting.push(key);
      next();
    },
  };
}
