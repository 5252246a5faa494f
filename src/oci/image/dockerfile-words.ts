import { BadSubstitution, replaced, withoutPrefix, withoutSuffix } from "./substitution-patterns.ts";

/** The values that `$name` stands for; undefined where none is set. */
export type Variables = (name: string) => string | undefined;

/** A substitution that is not known here, and that another version of BuildKit may know. */
export class UnknownSubstitution extends BadSubstitution {
  override readonly name = "UnknownSubstitution";
}

/**
 * Replaces variables and takes quotes and escapes away, as Docker does in every instruction but CMD, ENTRYPOINT and RUN.
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 * @throws BadSubstitution, UnknownSubstitution
 */
export function expandWord(text: string, variables: Variables, escape = "\\"): string {
  return new Expansion(text, { variables, escape, hasQuotes: true }).toEnd();
}

/** The text of an expanded here-document: quotes stay; the escape is a backslash, whatever the directive says. */
export const expandText = (text: string, variables: Variables): string =>
  new Expansion(text, { variables, escape: "\\", hasQuotes: false }).toEnd();

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
    const isEscape = char === escape && quote !== "'";
    // One at the end escapes nothing and is dropped.
    if (isEscape && at + 1 === text.length) break;
    word += char;
    if (isEscape) word += text[(at += 1)];
  }
  return word === "" ? words : [...words, word];
}

interface ExpansionOptions {
  readonly variables: Variables;
  readonly escape: string;
  readonly hasQuotes: boolean;
}

/** BuildKit's frontend/dockerfile/shell reads a word so, character by character. */
class Expansion {
  readonly #text: string;
  readonly #chars: readonly string[];
  readonly #options: ExpansionOptions;
  /** Whether escapes stay, for a pattern to read. */
  #keepsEscapes = false;
  #at = 0;

  constructor(text: string, options: ExpansionOptions) {
    this.#text = text;
    this.#chars = [...text];
    this.#options = options;
  }

  toEnd(): string {
    return this.#until(undefined, false);
  }

  #until(end: string | undefined, keepsEscapes: boolean): string {
    const before = this.#keepsEscapes;
    this.#keepsEscapes = keepsEscapes;
    const result: string[] = [];
    while (this.#peek() !== end) {
      if (this.#peek() === undefined) throw this.#withoutEnd("${");
      result.push(this.#next());
    }
    this.#at += 1;
    this.#keepsEscapes = before;
    return result.join("");
  }

  /** What the next character, with all that belongs to it, stands for. */
  #next(): string {
    const { escape, hasQuotes } = this.#options;
    const char = this.#take();
    if (char === "$") return this.#variable();
    if (hasQuotes && char === "'") return this.#inSingleQuotes();
    if (hasQuotes && char === '"') return this.#inDoubleQuotes();
    if (char !== escape) return char;
    return (this.#keepsEscapes ? char : "") + this.#take();
  }

  #inSingleQuotes(): string {
    const close = this.#chars.indexOf("'", this.#at);
    if (close < 0) throw this.#withoutEnd("'");
    const result = this.#chars.slice(this.#at, close).join("");
    this.#at = close + 1;
    return result;
  }

  #inDoubleQuotes(): string {
    const { escape } = this.#options;
    let result = "";
    for (;;) {
      if (this.#peek() === undefined) throw this.#withoutEnd('"');
      const char = this.#take();
      if (char === '"') return result;
      if (char === "$") result += this.#variable();
      else if (char !== escape) result += char;
      else {
        if (this.#keepsEscapes) result += char;
        const next = this.#peek();
        if (next !== undefined) result += ['"', "$", escape].includes(next) ? this.#take() : char;
      }
    }
  }

  #variable(): string {
    const { variables } = this.#options;
    if (this.#peek() !== "{") {
      const name = this.#name();
      return name === "" ? "$" : (variables(name) ?? "");
    }
    this.#at += 1;
    const [first, start] = [this.#peek(), this.#at];
    if (first === undefined) throw this.#withoutEnd("${");
    if (["{", "}", ":"].includes(first)) throw new BadSubstitution(`\${${first} in ${this.#text} names no variable`);
    const name = this.#name();
    const operator = this.#take();
    const value = variables(name);
    if (operator === "}") return value ?? "";
    if (operator === "/") return this.#replaced(value ?? "");
    if (operator === "#" || operator === "%") return this.#trimmed(value ?? "", operator);
    const isColon = operator === ":";
    const choice = isColon ? this.#take() : operator;
    if (choice === "") throw this.#withoutEnd("${");
    if (!["-", "+", "?"].includes(choice))
      throw new UnknownSubstitution(
        `\${${this.#chars.slice(start, this.#at).join("")} in ${this.#text} is not a substitution that is known here`,
      );
    return this.#chosen({ name, choice, word: this.#until("}", false), value: isColon && value === "" ? undefined : value });
  }

  #chosen({
    name,
    choice,
    word,
    value,
  }: {
    readonly name: string;
    readonly choice: string;
    readonly word: string;
    readonly value: string | undefined;
  }): string {
    if (choice === "+") return value === undefined ? "" : word;
    if (choice === "?" && value === undefined) throw new BadSubstitution(`${name}: ${word || "it has no value"}`);
    return value ?? word;
  }

  #trimmed(value: string, operator: string): string {
    const word = this.#until("}", true);
    const isLongest = word.startsWith(operator);
    return (operator === "#" ? withoutPrefix : withoutSuffix)(value, isLongest ? word.slice(1) : word, isLongest);
  }

  #replaced(value: string): string {
    const isEverywhere = this.#peek() === "/";
    if (isEverywhere) this.#at += 1;
    const pattern = this.#until("/", true);
    return replaced(value, { pattern, other: this.#until("}", true), isEverywhere });
  }

  /** Letters, digits and `_`; of digits in front those alone; or one of the shell's own variables. */
  #name(): string {
    const first = this.#peek() ?? "";
    if (/[@*#?$!-]/.test(first)) return this.#take();
    const fits = /\p{Nd}/u.test(first) ? /\p{Nd}/u : /[\p{L}\p{Nd}_]/u;
    const start = this.#at;
    while (fits.test(this.#peek() ?? "")) this.#at += 1;
    return this.#chars.slice(start, this.#at).join("");
  }

  #withoutEnd = (start: string): BadSubstitution => new BadSubstitution(`a ${start} in ${this.#text} has no end`);

  #peek = (): string | undefined => this.#chars[this.#at];

  /** The next character; nothing at the end. */
  #take(): string {
    const char = this.#peek() ?? "";
    this.#at += 1;
    return char;
  }
}
