import { DatabaseSync, type StatementSync } from "node:sqlite";

/** Durable documents: SQLite in one file, written in transactions, whole after a kill at any moment. */
export interface Database {
  /**
   * A named set of JSON documents. Ask once, at construction.
   * @param indexes functions from a document to a text it can be found by; `undefined` leaves it out of that index
   */
  collection<T>(name: string, indexes?: Indexes<T>): Collection<T>;
  /** All or nothing. Nested calls join the outer transaction. The work must be synchronous. */
  transaction<R>(work: () => R): R;
  isOpen(): boolean;
  close(): void;
}

/** By the index's name: the text by which it finds a document, if any. */
export type Indexes<T> = Readonly<Record<string, (document: T) => string | undefined>>;

/** A key: parts from the widest scope to the narrowest, for instance account, region, id. */
export type Key = readonly string[];

export interface Entry<T> {
  readonly key: Key;
  readonly value: T;
}

export interface Page {
  /** Continue after this key (exclusive). */
  readonly after?: Key;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface Collection<T> {
  get(key: Key): T | undefined;
  /** Inserts or replaces. */
  put(key: Key, value: T): void;
  /** False, and nothing written, when the key is taken. */
  insert(key: Key, value: T): boolean;
  /** Whether there was one. */
  delete(key: Key): boolean;
  /** Documents whose key starts with all parts of `prefix`, in order of their keys (UTF-8 bytes). */
  list(prefix: Key, page?: Page): readonly Entry<T>[];
  /** Documents whose index has this value, in order of their keys. */
  find(index: string, value: string, page?: Page): readonly Entry<T>[];
  count(prefix: Key): number;
}

// Unit separator: no AWS name holds it, and it sorts before every printable character.
const SEPARATOR = "\u001f";
const encode = (key: Key): string => key.join(SEPARATOR);
const decode = (text: string): Key => text.split(SEPARATOR);

/**
 * Opens (or creates) the database.
 * @param file a path, or `:memory:`
 */
export function openDatabase(file: string): Database {
  const sqlite = new DatabaseSync(file);
  // WAL with NORMAL survives the death of the process at any moment; only a power cut can lose the last commits.
  sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;");
  let depth = 0;
  return {
    collection: (name, indexes = {}) => openCollection(sqlite, name, indexes),
    transaction(work) {
      if (depth > 0) return work();
      sqlite.exec("BEGIN IMMEDIATE");
      depth++;
      try {
        const result = work();
        if (result instanceof Promise) throw new Error("a transaction's work must be synchronous");
        sqlite.exec("COMMIT");
        return result;
      } catch (error) {
        // SQLite has rolled back by itself where the disk is full (lang_transaction.html, "Response To Errors Within A Transaction").
        if (sqlite.isTransaction) sqlite.exec("ROLLBACK");
        throw error;
      } finally {
        depth--;
      }
    },
    isOpen: () => sqlite.isOpen,
    close: () => sqlite.close(),
  };
}

function openCollection<T>(sqlite: DatabaseSync, name: string, indexes: Indexes<T>): Collection<T> {
  const names = Object.keys(indexes);
  const table = quoted(name);
  sqlite.exec(`CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`);
  addIndexes(sqlite, name, indexes);
  const statements = prepareStatements(sqlite, table, names);
  const finders = new Map(names.map((index) => [index, finder(sqlite, table, index)]));
  const row = (key: Key, value: T) => [encode(key), JSON.stringify(value), ...names.map((index) => indexes[index]?.(value) ?? null)];
  return {
    get(key) {
      const found = statements.get.get(encode(key));
      return found ? (JSON.parse(found["value"] as string) as T) : undefined;
    },
    put(key, value) {
      statements.put.run(...row(key, value));
    },
    insert: (key, value) => Number(statements.insert.run(...row(key, value)).changes) === 1,
    delete: (key) => Number(statements.remove.run(encode(key)).changes) === 1,
    list: (prefix, page = {}) => entriesOf<T>(rowsUnder(statements, prefix, page)),
    find(index, value, page = {}) {
      const statement = finders.get(index);
      if (!statement) throw new Error(`collection ${name} has no index ${index}`);
      return entriesOf<T>(statement.all(value, page.after ? encode(page.after) : "", page.limit ?? -1));
    },
    count: (prefix) => Number(statements.count.get(...bounds(prefix))?.["n"]),
  };
}

type Rows = ReturnType<StatementSync["all"]>;

const entriesOf = <T>(rows: Rows): readonly Entry<T>[] =>
  rows.map((found) => ({ key: decode(found["key"] as string), value: JSON.parse(found["value"] as string) as T }));

/** The rows whose key starts with all parts of `prefix`. */
function rowsUnder({ forward, backward }: ReturnType<typeof prepareStatements>, prefix: Key, page: Page): Rows {
  const [low, high] = bounds(prefix);
  const limit = page.limit ?? -1;
  const after = page.after && encode(page.after);
  // SQLite seeks to the first bound of a side alone: the later pages of a long list begin there, not at the list's beginning.
  const isInside = after?.startsWith(low) === true;
  if (page.reverse) return backward.all(low, isInside ? after : high, after ?? high, limit);
  return forward.all(isInside ? after : low, high, after ?? "", limit);
}

function prepareStatements(sqlite: DatabaseSync, table: string, names: readonly string[]) {
  const columns = ["key", "value", ...names.map((index) => quoted(`ix_${index}`))].join(", ");
  const marks = ["?", "?", ...names.map(() => "?")].join(", ");
  return {
    get: sqlite.prepare(`SELECT value FROM ${table} WHERE key = ?`),
    put: sqlite.prepare(`INSERT OR REPLACE INTO ${table} (${columns}) VALUES (${marks})`),
    insert: sqlite.prepare(`INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${marks})`),
    remove: sqlite.prepare(`DELETE FROM ${table} WHERE key = ?`),
    count: sqlite.prepare(`SELECT count(*) AS n FROM ${table} WHERE key >= ? AND key < ?`),
    forward: sqlite.prepare(`SELECT key, value FROM ${table} WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?`),
    backward: sqlite.prepare(`SELECT key, value FROM ${table} WHERE key >= ? AND key < ? AND key < ? ORDER BY key DESC LIMIT ?`),
  };
}

/** Indexes that a collection of an earlier start lacks, filled from the documents that are there. */
function addIndexes<T>(sqlite: DatabaseSync, name: string, indexes: Indexes<T>): void {
  const table = quoted(name);
  const columns = sqlite.prepare(`PRAGMA table_info(${table})`).all();
  const present = new Set(columns.map((column) => column["name"]));
  for (const [index, valueOf] of Object.entries(indexes)) {
    const column = quoted(`ix_${index}`);
    if (present.has(`ix_${index}`)) continue;
    sqlite.exec(`ALTER TABLE ${table} ADD COLUMN ${column} TEXT; CREATE INDEX ${quoted(`${name}.${index}`)} ON ${table} (${column}, key)`);
    const fill = sqlite.prepare(`UPDATE ${table} SET ${column} = ? WHERE key = ?`);
    for (const found of sqlite.prepare(`SELECT key, value FROM ${table}`).all())
      fill.run(valueOf(JSON.parse(found["value"] as string) as T) ?? null, found["key"] as string);
  }
}

const finder = (sqlite: DatabaseSync, table: string, index: string): StatementSync =>
  sqlite.prepare(`SELECT key, value FROM ${table} WHERE ${quoted(`ix_${index}`)} = ? AND key > ? ORDER BY key LIMIT ?`);

/** The half-open range of encoded keys that start with all parts of `prefix`, the exact key included. */
function bounds(prefix: Key): [string, string] {
  if (prefix.length === 0) return ["", "\u{10ffff}"];
  const low = encode(prefix);
  // Every longer key continues with the separator, which sorts before any printable character.
  return [low, `${low}\u0020`];
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
