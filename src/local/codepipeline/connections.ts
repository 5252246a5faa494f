import type { Principal } from "../authorization/principal.ts";
import { AwsError } from "../gateway/aws-error.ts";
import type { Core } from "../gateway/service.ts";

/** Connections got a new name in 2024; policies with either are good (dtconsole/latest/userguide/rename.html). */
const PREFIXES = ["codestar-connections", "codeconnections"];

/**
 * What stands for a repository behind a connection: the account's CodeCommit repository with the last part of its name,
 * `flow` for `our-org/flow`.
 */
export const connectedRepository = (fullRepositoryId: string): string => fullRepositoryId.split("/").at(-1) ?? "";

/** @throws AwsError AccessDenied for who may not use the connection */
export function checkMayConnect({ directory }: Core, { as, connectionArn, region }: { readonly as: Principal; readonly connectionArn: string; readonly region: string }): void {
  const refusals = PREFIXES.flatMap((prefix) => {
    try {
      directory.authorize(as, { action: `${prefix}:UseConnection`, resource: connectionArn }, { region, context: {} });
      return [];
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return [error];
    }
  });
  if (refusals[0] && refusals.length === PREFIXES.length) throw refusals[0];
}
