/** What the model says of one value: its type and its constraints. Patterns are whole-string and need the `u` flag. */
export type Shape =
  StringShape | NumberShape | ListShape | MapShape | StructureShape | { readonly type: "boolean" | "timestamp" | "blob" | "document" };

export interface StringShape {
  readonly type: "string";
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
}

export interface NumberShape {
  readonly type: "integer" | "long";
  readonly min?: number;
  readonly max?: number;
}

export interface ListShape {
  readonly type: "list";
  readonly member: string;
  readonly min?: number;
  readonly max?: number;
}

export interface MapShape {
  readonly type: "map";
  readonly key: string;
  readonly value: string;
  readonly min?: number;
  readonly max?: number;
}

export interface StructureShape {
  readonly type: "structure";
  /** Exactly one member is to be given. */
  readonly union?: true;
  readonly required?: readonly string[];
  readonly members: Readonly<Record<string, Member>>;
}

/** A member of a structure. Where `location` is absent it travels in the JSON body. */
export interface Member {
  readonly shape: string;
  readonly location?: "uri" | "querystring";
  /** Clients fill it with a random UUID when the caller leaves it out. */
  readonly idempotencyToken?: true;
}

/** How an operation travels. */
export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path, with `{member}` labels. */
  readonly uri: string;
  /** The status of a success. */
  readonly status: number;
  /** What an SDK puts before the host. */
  readonly hostPrefix: string;
  readonly input: string;
  /** Absent where the model has no output shape: the answer has no body. */
  readonly output?: string;
  readonly errors: readonly string[];
}

/** An exception of the service. */
export interface ErrorShape {
  readonly status: number;
  readonly fault: "client" | "server";
}
