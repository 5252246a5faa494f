import type { Json, ResourceProvider } from "../resource-provider.ts";
import { formatError, templateError } from "./errors.ts";
import type { Scope } from "./intrinsics/scope.ts";
import { parameterValue, type StackParameter } from "./parameters.ts";
import { LANGUAGE_EXTENSIONS, type Template } from "./template/template.ts";
import { NO_VALUE, UNKNOWN, type Value } from "./values.ts";

/** What expressions may know of a resource. */
export interface ResourceView {
  readonly ref: Value;
  /** Attributes by name; undefined while none of them is known. */
  readonly attributes: Readonly<Record<string, Json>> | undefined;
  readonly provider: Pick<ResourceProvider, "attributes">;
}

/** What a stack's expressions are evaluated with. */
export interface StackScope {
  readonly template: Template;
  readonly parameters: readonly StackParameter[];
  readonly stack: {
    readonly id: string;
    readonly name: string;
    readonly account: string;
    readonly region: string;
    readonly notificationArns: readonly string[];
  };
  /** The resources that exist so far; also those added while the scope is in use. */
  readonly resources: { get(logicalId: string): ResourceView | undefined };
  /** The value of an export of the account and region. @throws AwsError where there is none */
  importValue(name: string): Value;
}

/** The scope of a stack's expressions. */
export function scopeOf(given: StackScope): Scope {
  const { template, stack } = given;
  const pseudo: Readonly<Record<string, Value | typeof NO_VALUE>> = {
    "AWS::AccountId": stack.account,
    "AWS::NoValue": NO_VALUE,
    "AWS::NotificationARNs": stack.notificationArns,
    "AWS::Partition": "aws",
    "AWS::Region": stack.region,
    "AWS::StackId": stack.id,
    "AWS::StackName": stack.name,
    "AWS::URLSuffix": "amazonaws.com",
  };
  const parameters = new Map(given.parameters.map((parameter) => [parameter.key, parameter]));
  return {
    mappings: template.mappings,
    region: stack.region,
    hasExtensions: template.transforms.includes(LANGUAGE_EXTENSIONS),
    importValue: given.importValue,
    ref(name) {
      if (name in pseudo) return pseudo[name] as Value;
      const [declaration, parameter] = [template.parameters[name], parameters.get(name)];
      if (declaration && parameter) return parameterValue(declaration, parameter);
      return view(name).ref;
    },
    attribute: (name, attribute) => attributeOf(name, { view: view(name), attribute }),
  };

  function view(name: string): ResourceView {
    const found = given.resources.get(name);
    if (!found) throw formatError(`Unresolved resource dependencies [${name}] in the Resources block of the template`);
    return found;
  }
}

function attributeOf(name: string, { view, attribute }: { readonly view: ResourceView; readonly attribute: string }): Value {
  const declared = view.provider.attributes;
  if (declared !== "any" && !declared.includes(attribute))
    throw templateError(`resource ${name} does not support attribute type ${attribute} in Fn::GetAtt`);
  if (!view.attributes) return UNKNOWN;
  const found = Object.hasOwn(view.attributes, attribute) ? view.attributes[attribute] : undefined;
  if (found === undefined)
    throw declared === "any"
      ? templateError(`CustomResource attribute error: Vendor response doesn't contain ${attribute} attribute in object ${name}`)
      : templateError(`resource ${name} has no value for its attribute ${attribute}`);
  return found;
}
