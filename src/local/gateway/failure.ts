/** Work that ended badly (a build, an action of a pipeline), with the code that its service shows beside the message. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
