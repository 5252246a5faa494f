import { AwsError } from "../../gateway/aws-error.ts";

/** Why a resource could not be made, as CloudFormation puts the error of a service. */
export function failureReason(error: unknown, token: string): string {
  if (!(error instanceof AwsError)) return error instanceof Error ? `Internal Failure: ${error.message}` : "Internal Failure";
  // What the engine itself refuses has no handler that said it.
  if (error.code === "ValidationError") return error.message;
  return `Resource handler returned message: "${error.message}" (RequestToken: ${token}, HandlerErrorCode: ${handlerCode(error.code)})`;
}

// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
function handlerCode(code: string): string {
  if (/AccessDenied|Unauthorized|Forbidden/.test(code)) return "AccessDenied";
  if (/AlreadyExists|AlreadyOwned|EntityExists|Duplicate/.test(code)) return "AlreadyExists";
  if (/NotFound|NoSuch|DoesNotExist/.test(code)) return "NotFound";
  if (/Conflict|InUse|NotEmpty/.test(code)) return "ResourceConflict";
  if (/LimitExceeded|Quota/.test(code)) return "ServiceLimitExceeded";
  if (/Throttl|TooManyRequests/.test(code)) return "Throttling";
  if (/Validation|Invalid|Malformed/.test(code)) return "InvalidRequest";
  return "GeneralServiceException";
}

/** The sentence about the resources that failed, by what was tried. */
export function stackReason(failed: readonly { readonly logicalId: string; readonly action: string }[]): string {
  const groups = (["create", "update", "delete"] as const).map(
    (action) => [action, failed.filter((one) => one.action === action).map(({ logicalId }) => logicalId)] as const,
  );
  return groups
    .filter(([, ids]) => ids.length > 0)
    .map(([action, ids]) => `The following resource(s) failed to ${action}: [${ids.join(", ")}].`)
    .join(" ");
}
