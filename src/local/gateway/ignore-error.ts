import { AwsError } from "./aws-error.ts";

/**
 * A handler for `catch` that takes the named codes for success.
 * @example await request.call("iam", "DeleteRole", { RoleName }).catch(ignoring("NoSuchEntity"))
 */
export const ignoring =
  (...codes: readonly string[]) =>
  (error: unknown): undefined => {
    if (error instanceof AwsError && codes.includes(error.code)) return undefined;
    throw error;
  };
