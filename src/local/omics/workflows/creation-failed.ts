/** A definition that can't become ACTIVE; the message becomes the workflow's statusMessage. */
export class CreationFailed extends Error {
  override readonly name = "CreationFailed";
}
