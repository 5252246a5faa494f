import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { Clock } from "../kit/clock.ts";
import { digestOf } from "./ui/layout.ts";

/** Parts of a page by the id of their element, and whether anything will change any more. */
export interface LiveParts {
  readonly parts: Readonly<Record<string, string>>;
  readonly ended: boolean;
}

export interface LiveOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Ends every stream when the console closes. */
  readonly closing: AbortSignal;
  read(): Promise<LiveParts>;
  /** An error in words. */
  explain(error: Error): string;
}

/** Server-sent events: an event `part` for each part of the page that changed, `ended` when nothing will change. */
export function liveParts(context: Context, { clock, everyMs, closing, read, explain }: LiveOptions): Response {
  return streamSSE(
    context,
    async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const signal = AbortSignal.any([gone.signal, closing]);
      const sent = new Map<string, string>();
      while (!signal.aborted) {
        const { parts, ended } = await read();
        for (const [id, html] of Object.entries(parts)) {
          const digest = digestOf(html);
          if (sent.get(id) === digest) continue;
          sent.set(id, digest);
          await stream.writeSSE({ event: "part", data: JSON.stringify({ id, digest, html }) });
        }
        if (ended) return stream.writeSSE({ event: "ended", data: "" });
        await clock.sleep(everyMs, signal).catch(() => undefined);
      }
    },
    async (error, stream) => stream.writeSSE({ event: "problem", data: explain(error) }),
  );
}
