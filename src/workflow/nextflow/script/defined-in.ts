import type { Statement } from "../syntax/ast.ts";

/** Statements nest no deeper than the parser lets them; definitions stand at the top, or in a branch or two (DSL1). */
const DEEPEST_DEFINITION = 20;

/** The statements of a script, those under conditions as well: DSL1 defines processes there. */
export function definedIn(statements: readonly Statement[], depth = 0): readonly Statement[] {
  if (depth > DEEPEST_DEFINITION) return [];
  return statements.flatMap((each): readonly Statement[] => {
    if (each.kind === "if") return definedIn([...each.then, ...each.otherwise], depth + 1);
    if (each.kind === "compound") return definedIn([...each.always, ...each.sometimes.flat()], depth + 1);
    return [each];
  });
}
