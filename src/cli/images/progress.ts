import type { CopyEvent, CopyResult } from "../../oci/copy.ts";
import type { Cli } from "../cli.ts";
import { readableSize } from "../../kit/readable-size.ts";

/** What a user sees while images come. */
export interface Progress extends AsyncDisposable {
  onDone(result: CopyResult): void;
  onCopy(event: CopyEvent): void;
}

/** In a log. */
const STILL_THERE_MS = 15_000;
const SHOWN_ANEW_MS = 1000;

/** More would make the line hard to read. */
const MOST_NAMES = 3;

function namesOf(underWay: ReadonlySet<string>): string {
  if (underWay.size === 0) return "";
  const more = underWay.size - MOST_NAMES;
  return `; under way: ${[...underWay].slice(0, MOST_NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Shows at a terminal, and else says every 15 s, on stderr, how far something is. Ended with the scope that holds it. */
export function openTicker({ say, show, clock }: Pick<Cli, "say" | "show" | "clock">, how: (seconds: number) => string): AsyncDisposable {
  const startedAt = clock.now().getTime();
  const ended = new AbortController();
  const tell = (): void => (show ?? say)(`  … ${how(Math.round((clock.now().getTime() - startedAt) / 1000))}`);
  const stillThere = async (): Promise<void> => {
    for (;;) {
      if (show) tell();
      await clock.sleep(show ? SHOWN_ANEW_MS : STILL_THERE_MS, ended.signal);
      if (!show) tell();
    }
  };
  const ticking = stillThere().catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      ended.abort(new Error("it is done"));
      await ticking;
      show?.("");
    },
  };
}

/**
 * Tells on stderr how far images are. Their results come at the end, each once: before, a log has what failed, which may be
 * looked after meanwhile. Ended with the scope that holds it.
 * @param isEachTold where results are a document for programs: a line for each image as it ends
 */
export function openProgress(cli: Pick<Cli, "say" | "show" | "clock">, images: number, isEachTold: boolean): Progress {
  let [done, failed, bytes] = [0, 0, 0];
  const underWay = new Set<string>();
  const ticker = openTicker(
    cli,
    (seconds) =>
      `${done} of ${images} images, ${failed > 0 ? `${failed} failed, ` : ""}${readableSize(bytes)} moved, ${seconds} s${namesOf(underWay)}`,
  );
  const onDone = ({ status, source, seconds, reason }: CopyResult): void => {
    const isFailed = status === "FAILED";
    done += 1;
    failed += isFailed ? 1 : 0;
    underWay.delete(source);
    if (isEachTold || (isFailed && !cli.show))
      cli.say(`  ${status.padEnd(8)} ${source} ${seconds.toFixed(1)} s${isFailed ? `: ${reason}` : ""}`);
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
