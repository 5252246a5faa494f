/** How a task waits for its work. */
export type Pattern = "request" | "sync" | "sync:2" | "waitForTaskToken";

/** What a Task state's Resource means. */
export type Resource =
  | { readonly kind: "function"; readonly functionArn: string }
  | { readonly kind: "optimized"; readonly service: string; readonly operation: string; readonly pattern: Pattern }
  | { readonly kind: "sdk"; readonly service: string; readonly operation: string; readonly pattern: Pattern };

const SUFFIX = /\.(sync:2|sync|waitForTaskToken)$/;

/**
 * Reads a Resource; undefined when it has none of the forms Step Functions knows.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
 */
export function parseResource(text: string): Resource | undefined {
  if (/^arn:[^:]+:lambda:[^:]*:\d{12}:function:[^:]+(:[^:]+)?$/.test(text)) return { kind: "function", functionArn: text };
  const path = /^arn:[^:]+:states:[^:]*:\d*:(.+)$/.exec(text)?.[1];
  if (path === undefined) return undefined;
  const pattern = (SUFFIX.exec(path)?.[1] ?? "request") as Pattern;
  const parts = path.replace(SUFFIX, "").split(":");
  const [first, second, third] = parts;
  if (parts.length === 3 && first === "aws-sdk" && second && third) return { kind: "sdk", service: second, operation: third, pattern };
  return parts.length === 2 && first && second ? { kind: "optimized", service: first, operation: second, pattern } : undefined;
}
