import type { CopyEvent, CopyResult } from "../../oci/copy.ts";
import type { Cli } from "../cli.ts";
import { readableSize } from "../../kit/readable-size.ts";

/** What a user sees while images come. */
export interface Progress extends AsyncDisposable {
  /** A line for each image as it ends: a large manifest takes a while, and what failed may be looked after meanwhile. */
  onDone(result: CopyResult): void;
  onCopy(event: CopyEvent): void;
}

const STILL_THERE_MS = 15_000;

/** Tells on stderr how far images are; every 15 s at least. Ended with the scope that holds it. */
export function openProgress({ say, clock }: Pick<Cli, "say" | "clock">, images: number): Progress {
  const startedAt = clock.now().getTime();
  const ended = new AbortController();
  let [done, bytes] = [0, 0];
  const stillThere = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(STILL_THERE_MS, ended.signal);
      say(`  … ${done} of ${images} images, ${readableSize(bytes)} moved, ${Math.round((clock.now().getTime() - startedAt) / 1000)} s`);
    }
  };
  const ticking = stillThere().catch(() => undefined);
  const onDone = ({ status, source, seconds, reason }: CopyResult): void => {
    done += 1;
    say(`  ${status.padEnd(8)} ${source} ${seconds.toFixed(1)} s${status === "FAILED" ? `: ${reason}` : ""}`);
  };
  return {
    onDone,
    onCopy: (event) => (event.type === "done" ? onDone(event.result) : void (bytes += event.type === "bytes" ? event.bytes : 0)),
    async [Symbol.asyncDispose]() {
      ended.abort(new Error("all images are done"));
      await ticking;
    },
  };
}
