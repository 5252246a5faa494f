import type { Principal } from "../../authorization/principal.ts";
import type { Omics } from "../omics.ts";
import type { Run } from "../store.ts";
import { RunFailure } from "./run-failure.ts";

/** HealthOmics's service principal. */
export const OMICS = "omics.amazonaws.com";

/**
 * The principal of the run's role, narrowed by its session policy.
 * @throws RunFailure ASSUME_ROLE_FAILED
 */
export function runPrincipal({ core }: Omics, run: Run): Principal {
  try {
    const principal = core.directory.assumeAsService({ service: OMICS, roleArn: run.roleArn, sessionName: run.id, sourceArn: run.arn });
    if (run.sessionPolicy === undefined || principal.kind !== "role") return principal;
    return { ...principal, sessionPolicies: [{ name: "the run's session policy", document: run.sessionPolicy }] };
  } catch (error) {
    throw new RunFailure(
      "ASSUME_ROLE_FAILED",
      `HealthOmics could not assume the role ${run.roleArn}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
