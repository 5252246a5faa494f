import { validate, type OperationName } from "../../model/validate.ts";
import { inputMembers } from "../../model/request.ts";
import type { Random } from "../../kit/random.ts";
import { operation, type AnyOperation, type Operation } from "../gateway/service.ts";
import { invalid } from "./errors.ts";

/**
 * Declares an operation whose requests are validated against the model before IAM is asked, whoever calls.
 * A caller from inside that leaves out the idempotency token gets one, as an SDK would give it.
 */
export function declare<Input extends object, Output>(
  name: OperationName,
  random: Random,
  declared: Operation<Input, Output>,
): AnyOperation {
  const token = Object.entries(inputMembers(name)).find(([, member]) => member.idempotencyToken)?.[0];
  const tokens = new WeakMap<object, Input>();
  const whole = (input: Input, isInternal: boolean): Input => {
    if (token === undefined || !isInternal || (input as Readonly<Record<string, unknown>>)[token] !== undefined) return input;
    const known = tokens.get(input) ?? ({ ...input, [token]: random.uuid() } as Input);
    tokens.set(input, known);
    return known;
  };
  return operation<Input, Output>({
    access(input, call) {
      const request = whole(input, call.http === undefined);
      const broken = validate(name, request as Readonly<Record<string, unknown>>);
      if (broken !== undefined) throw invalid(broken);
      return declared.access(request, call);
    },
    run: (input, call) => declared.run(whole(input, call.http === undefined), call),
  });
}
