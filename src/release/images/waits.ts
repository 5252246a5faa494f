import type { Clock } from "../../kit/clock.ts";
import { isSilence, type Wait } from "../../oci/client/patience.ts";

/** Shorter waits are over before anybody has read of them. */
const WORTH_TELLING_MS = 1000;

/** Tells of each pause that a registry asks for or gets, and of each silence that ended in one: once, however many requests wait. */
export function waitTeller({ say, clock }: { readonly say: (line: string) => void; readonly clock: Clock }): (wait: Wait) => void {
  const toldUntil = new Map<string, number>();
  return ({ registry, ms, failure }) => {
    const until = clock.now().getTime() + ms;
    if ((ms < WORTH_TELLING_MS && !isSilence(failure)) || until < (toldUntil.get(registry) ?? -Infinity) + WORTH_TELLING_MS) return;
    toldUntil.set(registry, until);
    say(`  WAITING  ${Math.ceil(ms / 1000)} s, then again: ${failure.message}`);
  };
}
