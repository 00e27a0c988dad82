/** The value of a number as ASL writes it (ACPI 6.5 §19.2.4): hexadecimal, octal or decimal; nothing when it is none. */
export function numberOf(text: string): bigint | undefined {
  if (/^0[xX][0-9A-Fa-f]+$/.test(text)) return BigInt(text);
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return /^(0|[1-9]\d*)$/.test(text) ? BigInt(text) : undefined;
}
