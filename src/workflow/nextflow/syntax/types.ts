import type { Cursor } from "./cursor.ts";

/** Reads a type's name with its parameters: `Map<String, List<Path>>`, `String[]`, `Path?`. @throws SyntaxFault */
export function readType(cursor: Cursor): string {
  const first = cursor.peek();
  if (first.type !== "name") cursor.fail("a type's name is missing here");
  cursor.next();
  let type = first.text;
  while (cursor.is(".") && cursor.peek(1).type === "name") {
    cursor.next();
    type += `.${cursor.next().text}`;
  }
  if (cursor.is("<")) type += readTypeParameters(cursor);
  while (cursor.is("[") && cursor.is("]", 1)) {
    cursor.position += 2;
    type += "[]";
  }
  return cursor.is("?") && !cursor.peek().isSpaced && cursor.accept("?") ? `${type}?` : type;
}

function readTypeParameters(cursor: Cursor): string {
  let text = "";
  let open = 0;
  do {
    const token = cursor.next();
    if (token.type === "end" || token.type === "newline") cursor.fail('">" is missing after the type\'s parameters');
    if (token.text === "<") open++;
    if (/^>+$/.test(token.text)) open -= token.text.length;
    text += token.text === "," ? ", " : token.text;
  } while (open > 0);
  return text;
}
