import { SyntaxFault, type Cursor } from "./cursor.ts";

/** What `read` gives; undefined where it meets a fault: the cursor stands behind the line of the fault then, the first of them kept. */
export function recovered<T>(cursor: Cursor, read: () => T): T | undefined {
  const from = cursor.position;
  const { depth } = cursor;
  try {
    return read();
  } catch (fault) {
    if (!(fault instanceof SyntaxFault)) throw fault;
    cursor.problem ??= { offset: fault.offset, message: fault.message };
    cursor.depth = depth;
    recover(cursor, from);
    return undefined;
  }
}

/** Goes on behind the line of a fault, over whole blocks, never out of the block around it. */
function recover(cursor: Cursor, from: number): void {
  if (cursor.position === from) cursor.position = from + (cursor.is("}") ? 0 : openingLength(cursor));
  for (;;) {
    const token = cursor.peek();
    if (token.type === "newline" || token.type === "end" || cursor.is("}")) return;
    if (cursor.is("{")) skipBraces(cursor);
    else cursor.next();
  }
}

const openingLength = (cursor: Cursor): number => (cursor.is("{") ? 0 : 1);

function skipBraces(cursor: Cursor): void {
  let open = 0;
  do {
    const token = cursor.next();
    if (token.type === "end") return;
    if (token.type !== "operator") continue;
    if (token.text === "{") open++;
    if (token.text === "}") open--;
  } while (open > 0);
}
