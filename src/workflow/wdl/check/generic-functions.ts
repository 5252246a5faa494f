/** Functions whose type follows from their arguments'. */
import {
  ANY,
  type ArrayType,
  arrayOf,
  BOOLEAN,
  DIRECTORY,
  FILE,
  FLOAT,
  holdsFiles,
  INT,
  mapOf,
  type MapType,
  pairOf,
  type PairType,
  printType,
  STRING,
  type Type,
  withOptional,
} from "../types.ts";
import { V1_2 } from "../version.ts";
import { areEquatable, coerces, unify } from "./coercion.ts";
import { argument, arity, CallProblem, refuse, type Signature } from "./signature.ts";

type GenericFunction = (signature: Signature) => Type;

const typeAt = (signature: Signature, index: number): Type => signature.types[index] ?? ANY;

function arrayAt(signature: Signature, index: number): ArrayType {
  const type = typeAt(signature, index);
  return type.kind === "Array" && !type.optional ? type : refuse(signature, index, "an array");
}

function knownArrayAt(signature: Signature, index: number): ArrayType {
  const type = arrayAt(signature, index);
  return type.item.kind === "Any" ? refuse(signature, index, "an array of items whose type is known") : type;
}

function mapAt(signature: Signature, index: number): MapType {
  const type = typeAt(signature, index);
  return type.kind === "Map" && !type.optional ? type : refuse(signature, index, "a map");
}

function pairsAt(signature: Signature, index: number): { array: ArrayType; pair: PairType } {
  const array = arrayAt(signature, index);
  const pair = array.item;
  return pair.kind === "Pair" && !pair.optional ? { array, pair } : refuse(signature, index, "an array of pairs");
}

export const GENERIC_FUNCTIONS: Readonly<Record<string, GenericFunction>> = {
  length: lengthType,
  select_first: selectFirst,
  select_all(signature) {
    arity(signature, 1);
    return arrayOf(withOptional(knownArrayAt(signature, 0).item, false));
  },
  range(signature) {
    arity(signature, 1);
    argument(signature, 0, INT);
    return arrayOf(INT);
  },
  prefix: affix,
  suffix: affix,
  zip: zipType,
  cross: zipType,
  unzip(signature) {
    arity(signature, 1);
    const { array, pair } = pairsAt(signature, 0);
    return pairOf(arrayOf(pair.left, array.nonempty), arrayOf(pair.right, array.nonempty));
  },
  flatten: (signature) => innerArray(signature, (inner) => inner),
  transpose: (signature) => innerArray(signature, (inner) => arrayOf(inner)),
  size: sizeType,
  read_tsv: readTsv,
  write_tsv: writeTsv,
  min: extreme,
  max: extreme,
  quote: quoted,
  squote: quoted,
  keys: keysType,
  values(signature) {
    arity(signature, 1);
    return arrayOf(mapAt(signature, 0).value);
  },
  as_pairs(signature) {
    arity(signature, 1);
    const { key, value } = mapAt(signature, 0);
    return arrayOf(pairOf(key, value));
  },
  as_map(signature) {
    arity(signature, 1);
    const { pair } = pairsAt(signature, 0);
    return mapOf(pair.left, pair.right);
  },
  collect_by_key(signature) {
    arity(signature, 1);
    const { pair } = pairsAt(signature, 0);
    return mapOf(pair.left, arrayOf(pair.right));
  },
  join_paths: joinPaths,
  contains: containsType,
  contains_key: containsKey,
  chunk(signature) {
    arity(signature, 2);
    argument(signature, 1, INT);
    return arrayOf(arrayOf(arrayAt(signature, 0).item, true));
  },
};

/** `read_json(…)` given straight to a function that will see at run time what it holds. */
function isReadJson(signature: Signature): boolean {
  const [first] = signature.expression.arguments;
  return signature.rank >= V1_2 && first?.kind === "apply" && first.name === "read_json";
}

function lengthType(signature: Signature): Type {
  arity(signature, 1);
  const type = typeAt(signature, 0);
  const kinds: readonly Type["kind"][] = signature.rank >= V1_2 ? ["Array", "Map", "Object", "String"] : ["Array"];
  if (!isReadJson(signature) && (!kinds.includes(type.kind) || type.optional)) refuse(signature, 0, "an array");
  return INT;
}

function selectFirst(signature: Signature): Type {
  arity(signature, 1, signature.rank >= V1_2 ? 2 : 1);
  if (signature.types.length === 1) return withOptional(knownArrayAt(signature, 0).item, false);
  const { item } = arrayAt(signature, 0);
  const fallback = typeAt(signature, 1);
  if (fallback.optional) refuse(signature, 1, "a value that cannot be absent");
  if (item.kind === "Any") return fallback;
  const common = unify([withOptional(item, false), fallback], true);
  if (common.kind === "Any") throw new CallProblem("the items and the default have no type in common", signature.expression.arguments[1]);
  return withOptional(common, false);
}

function affix(signature: Signature): Type {
  arity(signature, 2);
  argument(signature, 0, STRING);
  const items = argument(signature, 1, arrayOf(STRING));
  return arrayOf(STRING, items.kind === "Array" && items.nonempty);
}

function zipType(signature: Signature): Type {
  arity(signature, 2);
  const left = knownArrayAt(signature, 0);
  const right = knownArrayAt(signature, 1);
  return arrayOf(pairOf(left.item, right.item), left.nonempty && right.nonempty);
}

function innerArray(signature: Signature, wrap: (inner: Type) => Type): Type {
  arity(signature, 1);
  const type = argument(signature, 0, arrayOf(ANY));
  const outer = type.kind === "Array" ? type.item : ANY;
  if (outer.kind === "Any") return arrayOf(ANY);
  if (outer.kind !== "Array" || outer.optional) return refuse(signature, 0, "an array of arrays");
  return arrayOf(wrap(outer.item));
}

function sizeType(signature: Signature): Type {
  arity(signature, 1, 2);
  const type = typeAt(signature, 0);
  const file = withOptional(FILE, true);
  const isArrayOfFiles = type.kind === "Array" && !type.optional && type.item.kind !== "Any" && coerces(type.item, file);
  const isFine = type.kind !== "Any" && (coerces(type, file) || isArrayOfFiles || (signature.rank >= V1_2 && holdsFiles(type)));
  if (!isFine) refuse(signature, 0, "a file");
  if (signature.types.length === 2 && printType(typeAt(signature, 1)) !== "String") refuse(signature, 1, "String");
  return FLOAT;
}

function readTsv(signature: Signature): Type {
  arity(signature, 1, signature.rank >= V1_2 ? 3 : 1);
  argument(signature, 0, FILE);
  if (signature.types.length === 1) return arrayOf(arrayOf(STRING));
  argument(signature, 1, BOOLEAN);
  if (signature.types.length === 3) argument(signature, 2, arrayOf(STRING));
  return arrayOf(mapOf(STRING, STRING));
}

function writeTsv(signature: Signature): Type {
  arity(signature, 1, signature.rank >= V1_2 ? 3 : 1);
  const type = typeAt(signature, 0);
  const item = type.kind === "Array" ? type.item : ANY;
  const isRows = item.kind === "Array" && coerces(item.item, STRING);
  const isStructs = item.kind === "Struct" && signature.rank >= V1_2;
  if (!isRows && !isStructs) refuse(signature, 0, "Array[Array[String]]");
  if (signature.types.length > 1) argument(signature, 1, BOOLEAN);
  if (signature.types.length > 2) argument(signature, 2, arrayOf(STRING));
  return FILE;
}

function extreme(signature: Signature): Type {
  arity(signature, 2);
  const type = signature.types.some((each) => each.kind === "Float") ? FLOAT : INT;
  argument(signature, 0, type);
  argument(signature, 1, type);
  return type;
}

function quoted(signature: Signature): Type {
  arity(signature, 1);
  const items = argument(signature, 0, arrayOf(STRING));
  return arrayOf(STRING, items.kind === "Array" && items.nonempty);
}

function keysType(signature: Signature): Type {
  arity(signature, 1);
  const type = typeAt(signature, 0);
  const hasNames = type.kind === "Struct" || type.kind === "Object";
  if (isReadJson(signature) || (hasNames && signature.rank >= V1_2 && !type.optional)) return arrayOf(STRING);
  return arrayOf(mapAt(signature, 0).key);
}

function joinPaths(signature: Signature): Type {
  arity(signature, 1, 2);
  if (signature.types.length === 1) {
    argument(signature, 0, arrayOf(STRING, true));
    return STRING;
  }
  argument(signature, 0, DIRECTORY);
  const path = typeAt(signature, 1);
  if (!coerces(path, STRING)) argument(signature, 1, arrayOf(STRING, true));
  return STRING;
}

function containsType(signature: Signature): Type {
  arity(signature, 2);
  const { item } = arrayAt(signature, 0);
  const wanted = typeAt(signature, 1);
  if (item.kind === "Any") return BOOLEAN;
  if (!areEquatable(wanted, item) || (wanted.optional && !item.optional)) refuse(signature, 1, printType(item));
  return BOOLEAN;
}

function containsKey(signature: Signature): Type {
  arity(signature, 2);
  const type = typeAt(signature, 0);
  const key = typeAt(signature, 1);
  if (type.kind !== "Map" && type.kind !== "Struct" && type.kind !== "Object" && !isReadJson(signature)) refuse(signature, 0, "a map");
  if (key.kind === "Array") {
    if (key.item.kind !== "String") refuse(signature, 1, "Array[String]");
    return BOOLEAN;
  }
  const isFine = type.kind === "Map" ? areEquatable(key, type.key) && (!key.optional || type.key.optional) : key.kind === "String";
  return isFine ? BOOLEAN : refuse(signature, 1, "a key");
}
