/** What the value of a parameter has to look like in JSON, whatever the language calls its type. */
export type Shape =
  | { readonly kind: "any" | "text" | "integer" | "number" | "boolean" | "object" }
  /** An S3 URI as a text; a folder's ends with a slash. */
  | { readonly kind: "file" | "folder" }
  /** CWL's `{"class": "File", "location": "s3://…"}`. */
  | { readonly kind: "file-object"; readonly class: "File" | "Directory" }
  /** A path or URI of Nextflow, which may also lie in the definition. */
  | { readonly kind: "path" }
  | { readonly kind: "list"; readonly items: Shape; readonly isNonempty?: boolean }
  | { readonly kind: "map"; readonly key: Shape; readonly value: Shape }
  | { readonly kind: "pair"; readonly left: Shape; readonly right: Shape }
  | { readonly kind: "record"; readonly name: string; readonly members: readonly Member[] }
  | { readonly kind: "enum"; readonly values: readonly unknown[] }
  | { readonly kind: "union"; readonly options: readonly Shape[] }
  | { readonly kind: "optional"; readonly of: Shape };

export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly isOptional: boolean;
}

export const ANY: Shape = { kind: "any" };

/** The shape in words, for "must be …". */
export function inWords(shape: Shape): string {
  switch (shape.kind) {
    case "any":
      return "any value";
    case "text":
      return "a text";
    case "integer":
      return "an integer";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "object":
      return "an object";
    case "file":
      return "the URI of a file (s3://bucket/key)";
    case "folder":
      return "the URI of a folder (s3://bucket/prefix/)";
    case "file-object":
      return `an object {"class": "${shape.class}", "location": "s3://…"}`;
    case "path":
      return "a path or URI as a text";
    case "list":
      return `a list, each item ${inWords(shape.items)}`;
    case "map":
      return `an object, each value ${inWords(shape.value)}`;
    case "pair":
      return 'an object {"left": …, "right": …}';
    case "record":
      return `an object with the members of ${shape.name} (${shape.members.map(({ name, isOptional }) => name + (isOptional ? "?" : "")).join(", ")})`;
    case "enum":
      return `one of ${shape.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "union":
      return shape.options.map(inWords).join(" or ");
    case "optional":
      return `${inWords(shape.of)} or null`;
  }
}
