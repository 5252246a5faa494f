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

/** More would make the line hard to read. */
const MOST_NAMES = 3;

function namesOf(underWay: ReadonlySet<string>): string {
  if (underWay.size === 0) return "";
  const more = underWay.size - MOST_NAMES;
  return `; under way: ${[...underWay].slice(0, MOST_NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Says on stderr every 15 s how far something is. Ended with the scope that holds it. */
export function openTicker({ say, clock }: Pick<Cli, "say" | "clock">, how: (seconds: number) => string): AsyncDisposable {
  const startedAt = clock.now().getTime();
  const ended = new AbortController();
  const stillThere = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(STILL_THERE_MS, ended.signal);
      say(`  … ${how(Math.round((clock.now().getTime() - startedAt) / 1000))}`);
    }
  };
  const ticking = stillThere().catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      ended.abort(new Error("it is done"));
      await ticking;
    },
  };
}

/** Tells on stderr how far images are; every 15 s at least. Ended with the scope that holds it. */
export function openProgress(cli: Pick<Cli, "say" | "clock">, images: number): Progress {
  let [done, bytes] = [0, 0];
  const underWay = new Set<string>();
  const ticker = openTicker(cli, (seconds) => `${done} of ${images} images, ${readableSize(bytes)} moved, ${seconds} s${namesOf(underWay)}`);
  const onDone = ({ status, source, seconds, reason }: CopyResult): void => {
    done += 1;
    underWay.delete(source);
    cli.say(`  ${status.padEnd(8)} ${source} ${seconds.toFixed(1)} s${status === "FAILED" ? `: ${reason}` : ""}`);
  };
  return {
    onDone,
    onCopy(event) {
      if (event.type === "done") onDone(event.result);
      else if (event.type === "bytes") bytes += event.bytes;
      else underWay.add(event.source);
    },
    [Symbol.asyncDispose]: async () => ticker[Symbol.asyncDispose](),
  };
}
