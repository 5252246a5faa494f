/** Bounds of one reading: a document can be small and ask for endless work. */
export interface Session {
  steps: number;
  depth: number;
  calls: number;
}

/** Expressions evaluated in one reading. Large production repositories need some ten thousand. */
const MAX_STEPS = 500_000;
/** Expressions that wait for each other's value, far below what the stack holds. */
const MAX_WAITING = 300;
/** Calls followed in one reading, each in its own context. */
const MAX_CALLS = 20_000;

export const newSession = (): Session => ({ steps: 0, depth: 0, calls: 0 });

export const isExhausted = (session: Session): boolean => session.steps > MAX_STEPS || session.calls > MAX_CALLS;

/** Counts one call; false when no more are followed. */
export function enterCall(session: Session): boolean {
  session.calls += 1;
  return !isExhausted(session);
}

/** Runs `evaluate` within the bounds, or gives `otherwise`. */
export function within<T>(session: Session, evaluate: () => T, otherwise: () => T): T {
  session.steps += 1;
  if (session.steps > MAX_STEPS || session.depth >= MAX_WAITING) return otherwise();
  session.depth += 1;
  try {
    return evaluate();
  } finally {
    session.depth -= 1;
  }
}
