import { asciiBytes, concatBytes } from '../../../shared/bytes.ts';

/** The text that ACPICA's `acpidump` writes and `acpixtract` reads: `SIG @ 0xaddress`, then lines of sixteen bytes. */

export interface TextTable {
  readonly signature: string;
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

const HEADING = /^(\S.{3}) @ 0x([0-9A-Fa-f]+)\s*$/;
const LINE = /^\s*[0-9A-Fa-f]+:((?: [0-9A-Fa-f]{2}){1,16})/;

/** True when `bytes` begin as such a dump does, within the first lines. */
export function isAcpidumpText(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 2048));
  return start.split(/\r?\n/).some((line) => HEADING.test(line));
}

/** Every table of a dump; text that is neither a heading nor a line of bytes is left out, as acpixtract does. */
export function parseAcpidumpText(bytes: Uint8Array): TextTable[] {
  const tables: { signature: string; address: bigint; lines: Uint8Array[] }[] = [];
  for (const line of new TextDecoder('latin1').decode(bytes).split(/\r?\n/)) {
    const heading = HEADING.exec(line);
    if (heading) {
      tables.push({ signature: heading[1], address: BigInt(`0x${heading[2]}`), lines: [] });
      continue;
    }
    const data = LINE.exec(line);
    if (data)
      tables.at(-1)?.lines.push(Uint8Array.from(data[1].trim().split(' '), (byte) => Number.parseInt(byte, 16)));
  }
  return tables
    .filter(({ lines }) => lines.length > 0)
    .map(({ signature, address, lines }) => ({ signature, address, bytes: concatBytes(lines) }));
}

const hexDigits = (value: number | bigint, digits: number): string =>
  value.toString(16).toUpperCase().padStart(digits, '0');
const printable = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.');

/** The same text again: what acpixtract and iasl's users expect. */
export function formatAcpidumpText(tables: readonly TextTable[]): Uint8Array {
  const sections = tables.map(({ signature, address, bytes }) => {
    const lines = [`${signature} @ 0x${hexDigits(address, 16)}`];
    for (let offset = 0; offset < bytes.length; offset += 16) {
      const row = [...bytes.subarray(offset, offset + 16)];
      const data = row.map((byte) => hexDigits(byte, 2)).join(' ');
      lines.push(`    ${hexDigits(offset, 4)}: ${data.padEnd(47)}  ${row.map(printable).join('')}`);
    }
    return `${lines.join('\n')}\n`;
  });
  return asciiBytes(`${sections.join('\n')}\n`);
}
