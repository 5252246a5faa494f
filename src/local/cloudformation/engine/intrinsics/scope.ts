import type { JsonObject, NO_VALUE, Value } from "../values.ts";

/** Everything that expressions can look up. */
export interface Scope {
  /**
   * What `Ref` gives: a parameter's value, a pseudo parameter, a resource's physical id.
   * @throws AwsError where no such name exists
   */
  ref(name: string): Value | typeof NO_VALUE;
  /** @throws AwsError where no such resource or attribute exists */
  attribute(resource: string, attribute: string): Value;
  /** @throws AwsError where nothing in the account and region exports the name */
  importValue(name: string): Value;
  readonly mappings: Readonly<Record<string, JsonObject>>;
  readonly region: string;
  /** Whether the template is transformed by AWS::LanguageExtensions. */
  readonly hasExtensions: boolean;
}
