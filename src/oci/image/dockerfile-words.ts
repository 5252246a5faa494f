/** The values that `$name` stands for; undefined where none is set. */
export type Variables = (name: string) => string | undefined;

/** A substitution that only BuildKit does, or one that is not whole. */
export class UnknownSubstitution extends Error {
  override readonly name = "UnknownSubstitution";
}

/**
 * Replaces variables and takes quotes and escapes away, as Docker does in every instruction but CMD, ENTRYPOINT and RUN.
 * @throws UnknownSubstitution naming the text
 */
export function expandWord(text: string, variables: Variables, escape = "\\"): string {
  return new Expansion(text, variables, escape).toEnd();
}

/** The text of an expanded here-document: variables are replaced, quotes stay. */
export const expandText = (text: string, variables: Variables): string =>
  text.replace(/\\\$|\$(?:\{[^}]*\}|[A-Za-z_]\w*)/g, (found) => (found === "\\$" ? "$" : expandWord(found, variables)));

/** Words between blanks; quotes and escapes keep blanks inside a word and stay for `expandWord`. */
export function splitWords(text: string, escape = "\\"): readonly string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (quote === "" && /\s/.test(char)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    if (quote === char) quote = "";
    else if (quote === "" && (char === '"' || char === "'")) quote = char;
    word += char;
    if (char === escape && quote !== "'" && at + 1 < text.length) word += text[(at += 1)];
  }
  return word === "" ? words : [...words, word];
}

/** `a=1 b="x y"`, or the old form `a the rest of the line`; names and values are still to be expanded. */
export function splitPairs(text: string, escape = "\\"): readonly (readonly [string, string])[] {
  const words = splitWords(text, escape);
  if (!words[0]?.includes("=")) {
    const [, name = "", value = ""] = /^(\S+)\s+([\s\S]*)$/.exec(text) ?? [];
    return [[name, value]];
  }
  return words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]);
}

class Expansion {
  readonly #text: string;
  readonly #variables: Variables;
  readonly #escape: string;
  #at = 0;

  constructor(text: string, variables: Variables, escape: string) {
    this.#text = text;
    this.#variables = variables;
    this.#escape = escape;
  }

  toEnd(): string {
    let result = "";
    while (this.#at < this.#text.length) {
      const char = this.#take();
      if (char === "'") result += this.#until("'");
      else if (char === '"') result += this.#inDoubleQuotes();
      else if (char === this.#escape) result += this.#take();
      else result += char === "$" ? this.#variable() : char;
    }
    return result;
  }

  #inDoubleQuotes(): string {
    let result = "";
    for (let char = this.#take(); char !== '"'; char = this.#take()) {
      if (char === "") throw new UnknownSubstitution(`a " in ${this.#text} has no end`);
      if (char === this.#escape && ['"', "$", this.#escape].includes(this.#peek())) result += this.#take();
      else result += char === "$" ? this.#variable() : char;
    }
    return result;
  }

  #variable(): string {
    if (this.#peek() !== "{") {
      const name = /^(?:[A-Za-z_]\w*|\d)/.exec(this.#text.slice(this.#at))?.[0];
      if (name === undefined) return "$";
      this.#at += name.length;
      return this.#variables(name) ?? "";
    }
    this.#take();
    return this.#substitute(this.#inBraces());
  }

  /** The text up to the closing brace; braces of inner variables belong to it. */
  #inBraces(): string {
    const start = this.#at;
    for (let depth = 1; depth > 0;) {
      const char = this.#take();
      if (char === "") throw new UnknownSubstitution(`a \${ in ${this.#text} has no end`);
      if (char === "{") depth += 1;
      if (char === "}") depth -= 1;
    }
    return this.#text.slice(start, this.#at - 1);
  }

  #substitute(inner: string): string {
    const [, name = "", colon, operator, word = ""] = /^(\w+)(?:(:?)([-+?])([\s\S]*))?$/.exec(inner) ?? [];
    if (name === "") throw new UnknownSubstitution(`\${${inner}} is not a substitution that is known here`);
    const value = this.#variables(name);
    const isSet = value !== undefined && (colon !== ":" || value !== "");
    const other = () => expandWord(word, this.#variables, this.#escape);
    if (operator === "+") return isSet ? other() : "";
    if (operator === "?" && !isSet) throw new UnknownSubstitution(other() || `${name} has no value`);
    return operator === "-" && !isSet ? other() : (value ?? "");
  }

  #until(end: string): string {
    const close = this.#text.indexOf(end, this.#at);
    if (close < 0) throw new UnknownSubstitution(`a ${end} in ${this.#text} has no end`);
    const result = this.#text.slice(this.#at, close);
    this.#at = close + 1;
    return result;
  }

  #peek = (): string => this.#text[this.#at] ?? "";

  #take(): string {
    const char = this.#peek();
    this.#at += 1;
    return char;
  }
}
