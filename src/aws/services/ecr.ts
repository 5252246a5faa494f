import { ECRClient } from "@aws-sdk/client-ecr";
import { configOf, type Target } from "../target.ts";

/** Ten functions at once make repositories and set policies; ECR allows a few such calls a second. */
export const ecr = (target: Target): ECRClient => new ECRClient({ ...configOf(target), maxAttempts: 8 });
