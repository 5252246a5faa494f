/** The value of a number as Groovy writes it: `1_000`, `0x1F`, `2.5f`. */
export function numberOf(text: string): number {
  const plain = text.replaceAll("_", "");
  return Number(plain.replace(/^0[xXbB]/.test(plain) ? /[lLiIgG]$/ : /[lLiIgGdDfF]$/, ""));
}

/**
 * The text that Groovy makes of a number with a fraction or an exponent: a BigDecimal keeps its digits (`1.10`), a
 * float or double has at least one behind the point. Undefined for whole numbers.
 */
export function decimalText(text: string): string | undefined {
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?([gGdDfF]?)$/.exec(text.replaceAll("_", ""));
  const [, whole = "", fraction, exponent, suffix = ""] = match ?? [];
  if (match === null || (fraction === undefined && exponent === undefined && !/[dDfF]/.test(suffix))) return undefined;
  if (/[dDfF]/.test(suffix)) {
    const value = numberOf(text);
    return Number.isInteger(value) ? value.toFixed(1) : String(value);
  }
  const scale = (fraction?.length ?? 0) - Number(exponent ?? 0);
  return bigDecimalText(`${whole}${fraction ?? ""}`.replace(/^0+(?=\d)/, ""), scale);
}

/** `BigDecimal.toString`: plain down to six zeros behind the point, with an exponent beyond. */
function bigDecimalText(digits: string, scale: number): string | undefined {
  const adjusted = digits.length - 1 - scale;
  if (Math.abs(scale) > 1_000) return undefined;
  if (scale === 0) return digits;
  if (scale > 0 && adjusted >= -6) {
    const padded = digits.padStart(scale + 1, "0");
    return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  }
  const mantissa = digits.length > 1 ? `${digits.charAt(0)}.${digits.slice(1)}` : digits;
  return adjusted === 0 ? mantissa : `${mantissa}E${adjusted > 0 ? "+" : ""}${adjusted}`;
}
