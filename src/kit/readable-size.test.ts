import { expect, test } from "vitest";
import { readableSize } from "./readable-size.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [20_480, "20.5 kB"],
  [999_949, "999.9 kB"],
  [999_960, "1.0 MB"],
  [1_500_000, "1.5 MB"],
  [2_147_483_648, "2.1 GB"],
  [5e15, "5000.0 TB"],
])("%d bytes are %s", (bytes, text) => expect(readableSize(bytes)).toBe(text));
