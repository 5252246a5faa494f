import { evaluate } from "./intrinsics/evaluate.ts";
import type { Prepared } from "./prepare.ts";
import { type ResourceView, scopeOf } from "./stack-scope.ts";
import { UNKNOWN } from "./values.ts";

/** The names of the exports that a deployment imports. They never depend on its resources. */
export function importsOf({ instance, scope }: Prepared): ReadonlySet<string> {
  const names = new Set<string>();
  const unmade: ResourceView = { ref: UNKNOWN, attributes: undefined, provider: { attributes: "any" } };
  const importing = scopeOf({
    ...scope,
    resources: { get: () => unmade },
    importValue(name) {
      names.add(name);
      return UNKNOWN;
    },
  });
  for (const { Properties } of Object.values(instance.resources)) evaluate(Properties ?? {}, importing);
  for (const { Value } of Object.values(instance.outputs)) evaluate(Value, importing);
  return names;
}
