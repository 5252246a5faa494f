/** Work that outlives a request: followed to its end, its errors logged. */
export interface Background {
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void;
  /** Aborts what runs and waits until it has ended. */
  stop(): Promise<void>;
}

export function openBackground(log: (service: string, message: string) => void): Background {
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  return {
    run(name, work) {
      if (stopping.signal.aborted) return;
      const done = work(stopping.signal)
        .catch((error: unknown) => {
          if (!stopping.signal.aborted)
            log("background", `${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        })
        .finally(() => running.delete(done));
      running.add(done);
    },
    async stop() {
      stopping.abort(new Error("the local accounts are stopping"));
      await Promise.all(running);
    },
  };
}
