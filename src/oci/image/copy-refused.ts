/** A COPY or ADD that cannot be carried out; the message says why. */
export class CopyRefused extends Error {
  override readonly name = "CopyRefused";
}
