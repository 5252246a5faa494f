import { NormalizedSchema } from "@smithy/core/schema";
import type { StaticOperationSchema } from "@smithy/types";

/** One operation of a service, as the SDK's own schemas describe it. */
export interface ModelOperation {
  readonly name: string;
  readonly namespace: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
  /** Method, URI template and success code of REST protocols. */
  readonly http?: readonly [method: string, uri: string, status: number];
}

/**
 * Reads the operations from an `@aws-sdk/client-*` module: every operation is exported as `<Name>$`, a tuple whose
 * first member is 9 (see `StaticOperationSchema` of @smithy/types).
 */
export function operationsOf(module: object): ReadonlyMap<string, ModelOperation> {
  const operations = new Map<string, ModelOperation>();
  for (const exported of Object.values(module)) {
    if (!isOperation(exported)) continue;
    const [, namespace, name, traits, input, output] = exported;
    const http = typeof traits === "object" ? (traits as { http?: [string, string, number] }).http : undefined;
    operations.set(name, {
      name,
      namespace,
      input: NormalizedSchema.of(resolve(input)),
      output: NormalizedSchema.of(resolve(output)),
      ...(http && { http }),
    });
  }
  return operations;
}

const isOperation = (value: unknown): value is StaticOperationSchema => Array.isArray(value) && value[0] === 9;

const resolve = (ref: unknown): ConstructorParameters<never>[0] & Parameters<typeof NormalizedSchema.of>[0] =>
  (typeof ref === "function" ? (ref as () => unknown)() : ref) as never;

/** Members that must be given, by the order the SDK keeps them in: the first N. Nothing is known of nested ones. */
export function missingMember(schema: NormalizedSchema, input: Readonly<Record<string, unknown>>): string | undefined {
  const tuple = schema.getSchema() as readonly unknown[];
  const names = (Array.isArray(tuple) ? (tuple[4] as readonly string[] | undefined) : undefined) ?? [];
  const required = (Array.isArray(tuple) ? (tuple[6] as number | undefined) : undefined) ?? 0;
  return names.slice(0, required).find((name) => input[name] === undefined || input[name] === null);
}
