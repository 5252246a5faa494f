import { parseAccountId } from "../../kit/account-id.ts";
import type { Place } from "../project/deploy-config.ts";

/** The ECR of a place: what image names there start with. */
export const registryOf = ({ account, region }: Place) => ({ account: parseAccountId(account), region });
