import type { Expr } from "./ast.ts";
import { Cursor, SyntaxFault } from "./cursor.ts";
import { readExpression } from "./expressions.ts";
import { readBlock } from "./statements.ts";
import type { Token } from "./tokens.ts";

const READ = new WeakMap<readonly Token[], { readonly expression: Expr | undefined }>();

/** What an interpolation's tokens say, read when first asked; undefined where they are no expression. */
export function interpolated(tokens: readonly Token[]): Expr | undefined {
  let known = READ.get(tokens);
  if (known === undefined) READ.set(tokens, (known = { expression: read(tokens) }));
  return known.expression;
}

function read(tokens: readonly Token[]): Expr | undefined {
  const cursor = new Cursor(tokens, readBlock);
  try {
    cursor.skipNewlines();
    if (cursor.accept("->")) cursor.skipNewlines();
    const expression = readExpression(cursor);
    cursor.skipNewlines();
    return cursor.peek().type === "end" ? expression : undefined;
  } catch (fault) {
    if (fault instanceof SyntaxFault) return undefined;
    throw fault;
  }
}
