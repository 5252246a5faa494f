import { CancelRunCommand, GetRunCommand, type OmicsClient, type RunStatus } from "@aws-sdk/client-omics";
import type { Clock } from "../kit/clock.ts";

const ENDED: readonly (RunStatus | undefined)[] = ["COMPLETED", "FAILED", "CANCELLED", "DELETED"];

/** How a run ended: HealthOmics's status, or TIMED_OUT when it was cancelled after `seconds`. */
export interface EndedRun {
  readonly status: string;
  /** The failure reason and what is said of it; empty for a run that is COMPLETED. */
  readonly message: string;
}

/** Waits for the end of a run, and cancels one that takes too long: a wait always ends. */
export async function endedRun(
  omics: OmicsClient,
  id: string,
  { clock, seconds }: { readonly clock: Clock; readonly seconds: number },
): Promise<EndedRun> {
  const deadline = clock.now().getTime() + seconds * 1000;
  for (let wait = 500; ; wait = Math.min(wait * 1.3, 15_000)) {
    const { status, failureReason = "", statusMessage = "" } = await omics.send(new GetRunCommand({ id }));
    if (ENDED.includes(status))
      return { status: status ?? "", message: [failureReason, statusMessage].filter((text) => text !== "").join(": ") };
    if (clock.now().getTime() > deadline) {
      await omics.send(new CancelRunCommand({ id }));
      return { status: "TIMED_OUT", message: `it did not end within ${seconds} s and was cancelled` };
    }
    await clock.sleep(wait);
  }
}
