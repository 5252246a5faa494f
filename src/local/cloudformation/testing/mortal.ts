import type { Collection, Database } from "../../storage/database.ts";

/** What a write throws once the process is dead. */
export class Killed extends Error {
  override readonly name = "Killed";
}

/** A database whose process dies just before its n-th write, and stays dead: nothing of that write or later ones is kept. */
export interface Mortal {
  readonly database: Database;
  /** How many writes there were. */
  writes(): number;
}

/** @param lifetime the number of writes that still succeed */
export function mortal(database: Database, lifetime: number): Mortal {
  let writes = 0;
  let depth = 0;
  const live = (): void => {
    if (depth === 0 && ++writes > lifetime) throw new Killed("killed");
    if (writes > lifetime) throw new Killed("killed");
  };
  const guarded = <T>(collection: Collection<T>): Collection<T> => ({
    ...collection,
    put: (key, value) => (live(), collection.put(key, value)),
    insert: (key, value) => (live(), collection.insert(key, value)),
    delete: (key) => (live(), collection.delete(key)),
  });
  return {
    writes: () => writes,
    database: {
      collection: (name, indexes) => guarded(database.collection(name, indexes)),
      transaction(work) {
        live();
        depth++;
        try {
          return database.transaction(work);
        } finally {
          depth--;
        }
      },
      isOpen: () => database.isOpen(),
      close: () => database.close(),
    },
  };
}
