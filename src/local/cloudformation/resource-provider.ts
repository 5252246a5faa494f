/**
 * What a service promises to CloudFormation for each resource type it owns. A service lists its providers in its
 * `resources.ts`; nothing else of CloudFormation is visible to it.
 *
 * Rules of the contract:
 *
 * 1. A provider changes the world only through `request.call`, which dispatches to the owning service as the stack's
 *    execution role (or the caller, where the stack has none), so that IAM decides as it would on AWS.
 * 2. Every step is repeatable. The process may be killed after the service did its work and before CloudFormation
 *    recorded it; the step is then asked for again with the same `token`, the same `suggestedName`s and
 *    `resumed: true`. An "already exists" answered to a resumed `create` means one's own earlier attempt: adopt it.
 * 3. `delete` of what is not there succeeds.
 * 4. A provider resolves when the resource is stable (a pipeline exists, a key is enabled), rejects with the
 *    service's own error otherwise. The error's message becomes the resource's status reason, word for word.
 * 5. Values arrive resolved and in the declared shape: a template's "true" or 5 arrives as true or "5" where the
 *    shape says boolean or string, as CloudFormation does it.
 */
export interface ResourceProvider {
  /** `AWS::S3::Bucket`. A type that ends in `*` owns every type with that beginning (`Custom::*`). */
  readonly type: string;
  /** Every property this provider honours. Any other fails the validation of the template by its name. */
  readonly properties: Readonly<Record<string, PropertyShape>>;
  /** Properties that must be given. */
  readonly required?: readonly string[];
  /**
   * Properties whose change needs a new physical resource: `["BucketName"]`, nested ones with dots
   * (`"LambdaConfig.Arn"`). CloudFormation then calls `create` for the new one and `delete` for the old one at the end.
   */
  readonly replaceOn: readonly string[];
  /**
   * What Fn::GetAtt may ask for, nested ones with dots (`"Endpoint.Address"`). `"any"` where only the resource itself
   * knows (custom resources).
   */
  readonly attributes: readonly string[] | "any";
  /** Makes the resource. */
  create(request: ResourceRequest): Promise<ResourceState>;
  /**
   * Changes the resource in place. Not called where a property of `replaceOn` changed. `"REPLACE"` where this change,
   * after all, needs a new one. A state with another `physicalId` replaces: the old one is deleted at the end.
   */
  update(request: UpdateRequest): Promise<ResourceState | "REPLACE">;
  /** Removes the resource. `request.properties` are those it was last made with. */
  delete(request: ExistingRequest): Promise<void>;
}

/**
 * The shape of a property's value. A list is `["string"]`, an object with closed members `{ Key: "string" }`, a map of
 * anything to strings `{ "*": "string" }`. `json` is a document: an object, or a text that holds one, which is parsed
 * (policies). `any` is handed on as it stands.
 */
export type PropertyShape =
  "string" | "number" | "boolean" | "json" | "any" | readonly [PropertyShape] | { readonly [member: string]: PropertyShape };

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/** Resolved properties of a resource, by their names in the template. */
export type Properties = Readonly<Record<string, Json>>;

/** What the resource is after a step. */
export interface ResourceState {
  /** What `Ref` gives, and how later steps name the resource. */
  readonly physicalId: string;
  /** What Fn::GetAtt gives, by name. Nested attributes with dots. */
  readonly attributes: Readonly<Record<string, Json>>;
}

/** One step for one resource. */
export interface ResourceRequest {
  readonly logicalId: string;
  /** The resource's type as the template writes it. */
  readonly type: string;
  readonly properties: Properties;
  readonly stack: StackContext;
  /**
   * A client token, the same for every attempt at this step and different for every other step: made of the stack's
   * id, the logical id and the number of the operation. At most 64 characters of `[A-Za-z0-9-]`.
   */
  readonly token: string;
  /** True when an earlier attempt at this step began and its outcome is unknown. */
  readonly resumed: boolean;
  /** Aborted when the server stops: give up waiting; the step is asked for again at the next start. */
  readonly signal: AbortSignal;
  /** A physical name as CloudFormation makes it: `<stack>-<logical id>-<12 characters>`, shortened to `limit`. */
  suggestedName(limit: number, options?: NameOptions): string;
  /**
   * Records the physical id before the resource is stable, so that a failure after this point deletes it. Not needed
   * where `create` resolves at once.
   */
  announce(physicalId: string): void;
  /** Calls an operation of a local service (`call("s3", "CreateBucket", {…})`) as the stack's execution role. */
  readonly call: Call;
}

/** A step for a resource that is there. */
export interface ExistingRequest extends ResourceRequest {
  readonly physicalId: string;
}

/** A change in place. */
export interface UpdateRequest extends ExistingRequest {
  readonly previousProperties: Properties;
}

/** How a suggested name is written. */
export interface NameOptions {
  /** Lower case throughout, as S3 and ECR demand. @default false */
  readonly lowerCase?: boolean;
  /** Characters a name may have, as the inside of a class: others are left out. @default "A-Za-z0-9-" */
  readonly allowed?: string;
}

/** The stack a resource belongs to. */
export interface StackContext {
  /** The stack's ARN. */
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** The stack's tags, which the resources that can be tagged inherit: see {@link tagsOf}. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Service and operation as the SDK names them, service in its signing name: `("states", "CreateStateMachine", {…})`. */
export type Call = <Output = unknown>(service: string, operation: string, input: object) => Promise<Output>;

/** A tag as most of CloudFormation's types write it. */
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** The stack's tags with those of the resource (`Tags` as a list or a map) over them, in order of first appearance. */
export function tagsOf(request: Pick<ResourceRequest, "stack" | "properties">): readonly Tag[] {
  const tags = new Map(Object.entries(request.stack.tags));
  const own = request.properties["Tags"] ?? [];
  const pairs = Array.isArray(own)
    ? (own as readonly Tag[]).map(({ Key, Value }) => [Key, Value] as const)
    : Object.entries(own as Readonly<Record<string, string>>);
  for (const [key, value] of pairs) tags.set(key, value);
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}
