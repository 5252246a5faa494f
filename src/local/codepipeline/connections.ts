import type { Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";

/**
 * What stands for a repository behind a connection: the account's CodeCommit repository with the last part of its name,
 * `flow` for `our-org/flow`.
 */
export const connectedRepository = (fullRepositoryId: string): string => fullRepositoryId.split("/").at(-1) ?? "";

/**
 * Connections got a new name in 2024: the prefix of the action has to be that of the connection's ARN.
 * @throws AwsError AccessDenied for who may not use the connection
 * @see https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
 */
export function checkMayConnect(
  { directory }: Core,
  { as, connectionArn, region }: { readonly as: Principal; readonly connectionArn: string; readonly region: string },
): void {
  directory.authorize(as, { action: `${connectionArn.split(":")[2]}:UseConnection`, resource: connectionArn }, { region, context: {} });
}
