/** A text that is not what it should be. The message quotes the text and says what is expected. */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
  readonly kind: string;
  readonly text: string;
  constructor(kind: string, text: string, expected: string) {
    super(`"${text}" is not a valid ${kind}: ${expected}`);
    this.kind = kind;
    this.text = text;
  }
}
