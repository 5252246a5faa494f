import type { Place } from "../release/project/deploy-config.ts";

/** The place an event or ARN speaks of. */
export const placeOf = ({ account, region }: Place): Place => ({ account, region });
