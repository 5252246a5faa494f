import type { Json } from "../resource-provider.ts";
import { templateError } from "./errors.ts";

/** What becomes of a physical resource when its stack lets go of it. */
export type Policy = "Delete" | "Retain" | "RetainExceptOnCreate";

/**
 * A resource's DeletionPolicy or UpdateReplacePolicy; Delete where it says nothing.
 * @throws AwsError ValidationError for anything else, Snapshot included: no type of the local accounts can make one
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
 */
export function policyOf(given: Json | undefined, logicalId: string, attribute: "DeletionPolicy" | "UpdateReplacePolicy"): Policy {
  if (given === undefined) return "Delete";
  if (given === "Delete" || given === "Retain") return given;
  if (given === "RetainExceptOnCreate" && attribute === "DeletionPolicy") return given;
  throw templateError(`Unrecognized ${attribute} ${typeof given === "string" ? given : JSON.stringify(given)} for resource ${logicalId}`);
}
