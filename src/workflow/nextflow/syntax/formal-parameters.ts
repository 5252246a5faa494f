import type { FormalParameter } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import type { Token } from "./tokens.ts";

/** The names before `->`; a closure without them has `it`. */
export function readParameters(cursor: Cursor): readonly FormalParameter[] {
  const length = parametersLength(cursor);
  if (length === undefined) return [{ name: "it" }];
  const tokens = cursor.tokens.slice(cursor.position, cursor.position + length);
  cursor.position += length + 1;
  return formalParameters(tokens);
}

/** Parameter lists are short; a look ahead for the arrow of each closure must be as well. */
const LONGEST_PARAMETERS = 200;

function parametersLength(cursor: Cursor): number | undefined {
  let open = 0;
  for (let ahead = 0; ahead < LONGEST_PARAMETERS; ahead++) {
    const token = cursor.peek(ahead);
    if (token.type === "end" || token.type === "template") return undefined;
    if (token.type === "newline" && open === 0 && ahead > 0 && !isOpenEnded(cursor.peek(ahead - 1))) {
      return cursor.is("->", ahead + 1) ? ahead + 1 : undefined;
    }
    if (token.type !== "operator") continue;
    if (token.text === "->" && open === 0) return ahead;
    if (token.text === "{" || token.text === "}" || token.text === ";") return undefined;
    if (token.text === "(" || token.text === "[") open++;
    if (token.text === ")" || token.text === "]") open--;
  }
  return undefined;
}

const isOpenEnded = (token: Token): boolean => token.type === "newline" || token.text === ",";

/** The parameters of `Type a, b = 1, (c, d)`: the last name of each group, and what follows its `=`. */
export function formalParameters(tokens: readonly Token[]): readonly FormalParameter[] {
  const found: FormalParameter[] = [];
  for (const group of groups(tokens)) {
    const equals = group.findIndex((token) => token.type === "operator" && token.text === "=");
    const name = group.slice(0, equals < 0 ? undefined : equals).findLast(({ type }) => type === "name")?.text;
    if (name === undefined) continue;
    const last = group.at(-1);
    if (equals < 0 || last === undefined) found.push({ name });
    else
      found.push({
        name,
        default: [...group.slice(equals + 1), { type: "end", text: "", start: last.end, end: last.end, isSpaced: false }],
      });
  }
  return found;
}

/** The tokens between commas; the commas of a default's own brackets separate nothing. */
function groups(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const all: Token[][] = [[]];
  let open = 0;
  let isDefault = false;
  for (const token of tokens) {
    const text = token.type === "operator" ? token.text : "";
    if (text === "=") isDefault = true;
    if (isDefault && ["(", "[", "{"].includes(text)) open++;
    if (isDefault && [")", "]", "}"].includes(text)) open--;
    if (text !== "," || open > 0) {
      all.at(-1)?.push(token);
      continue;
    }
    all.push([]);
    isDefault = false;
    open = 0;
  }
  return all;
}
