import type {
  AddPermissionRequest,
  AddPermissionResponse,
  GetPolicyRequest,
  GetPolicyResponse,
  RemovePermissionRequest,
} from "@aws-sdk/client-lambda";
import { type AnyOperation, operation } from "../gateway/service.ts";
import { invalidValue, noPolicy, statementExists, statementNotFound } from "./errors.ts";
import { findFunction, functionAccess, type Lambda, policyDocument } from "./service-parts.ts";
import { type FunctionDocument, functionKey, type PermissionStatement } from "./store.ts";

/** Who else may invoke a function. */
export const permissionOperations = (lambda: Lambda): Readonly<Record<string, AnyOperation>> => ({
  AddPermission: operation<AddPermissionRequest, AddPermissionResponse>({
    access: (input, call) => [
      { ...functionAccess(lambda, "AddPermission", call, input), context: { "lambda:Principal": input.Principal ?? "" } },
    ],
    run: (input, call) => add(lambda, findFunction(lambda, call, input), input),
  }),
  RemovePermission: operation<RemovePermissionRequest, object>({
    access: (input, call) => [functionAccess(lambda, "RemovePermission", call, input)],
    run: (input, call) => remove(lambda, findFunction(lambda, call, input), input.StatementId ?? ""),
  }),
  GetPolicy: operation<GetPolicyRequest, GetPolicyResponse>({
    access: (input, call) => [functionAccess(lambda, "GetPolicy", call, input)],
    run: (input, call) => get(findFunction(lambda, call, input)),
  }),
});

function add({ store, core }: Lambda, of: FunctionDocument, input: AddPermissionRequest): AddPermissionResponse {
  const { StatementId = "" } = input;
  if (!/^[\w-]{1,100}$/.test(StatementId)) throw invalidValue(`The statement id (${StatementId}) may have letters, digits, - and _`);
  if (of.permissions.some(({ Sid }) => Sid === StatementId)) throw statementExists(StatementId);
  const statement = statementOf(of, input);
  const nobody = core.directory.missingPrincipal(JSON.stringify({ Statement: statement }));
  if (nobody !== undefined) throw invalidPrincipal(nobody);
  store.functions.put(functionKey(of), {
    ...of,
    permissions: [...of.permissions, statement],
    lastModified: core.clock.now().toISOString(),
  });
  return { Statement: JSON.stringify(statement) };
}

function statementOf(
  { arn }: FunctionDocument,
  { StatementId = "", Action = "", Principal = "", SourceArn, SourceAccount, PrincipalOrgID }: AddPermissionRequest,
): PermissionStatement {
  const condition = {
    ...(SourceAccount !== undefined || PrincipalOrgID !== undefined
      ? {
          StringEquals: {
            ...(SourceAccount !== undefined && { "AWS:SourceAccount": SourceAccount }),
            ...(PrincipalOrgID !== undefined && { "aws:PrincipalOrgID": PrincipalOrgID }),
          },
        }
      : {}),
    ...(SourceArn !== undefined && { ArnLike: { "AWS:SourceArn": SourceArn } }),
  };
  return {
    Sid: StatementId,
    Effect: "Allow",
    Principal: principalOf(Principal),
    Action,
    Resource: arn,
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
}

function principalOf(text: string): PermissionStatement["Principal"] {
  if (text === "*") return "*";
  if (/^\d{12}$/.test(text)) return { AWS: `arn:aws:iam::${text}:root` };
  if (text.startsWith("arn:")) return { AWS: text };
  if (/^[\w.-]+\.amazonaws\.com$/.test(text)) return { Service: text };
  throw invalidPrincipal(text);
}

const invalidPrincipal = (text: string): Error =>
  invalidValue(`The provided principal was invalid. Please check the principal and try again. (${text})`);

function remove({ store }: Lambda, of: FunctionDocument, sid: string): object {
  const permissions = of.permissions.filter(({ Sid }) => Sid !== sid);
  if (permissions.length === of.permissions.length) throw statementNotFound(sid);
  store.functions.put(functionKey(of), { ...of, permissions });
  return {};
}

function get(of: FunctionDocument): GetPolicyResponse {
  const Policy = policyDocument(of);
  if (Policy === undefined) throw noPolicy();
  return { Policy, RevisionId: of.revisionId };
}
