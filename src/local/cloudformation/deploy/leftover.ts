import type { Policy } from "../engine/policies.ts";
import type { Leftover, ResourceRecord } from "./records.ts";

/** A record's physical resource once the record names another one. */
export function leftoverOf(record: ResourceRecord, physicalId: string, policy: Policy): Leftover {
  const { logicalId, type, properties, dependsOn } = record;
  return { logicalId, type, physicalId, properties, policy, dependsOn };
}
