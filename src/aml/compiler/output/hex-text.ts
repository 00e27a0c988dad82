/** A table as source text that firmware builds include: what iasl writes with -tc, -ta and -ts. */

const BYTES_A_LINE = 8;

/** What surrounds the bytes in one language. */
interface HexLanguage {
  open(name: string, byteLength: number): readonly string[];
  /** One line of bytes with its offset and characters; the last one may be short. */
  line(bytes: readonly number[], comment: string, isLast: boolean): string;
  close(name: string): readonly string[];
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
const macroName = (name: string): string => `__${name.toUpperCase()}_HEX__`;

const bytesInC = (bytes: readonly number[], isLast: boolean): string => {
  const text = bytes.map((byte) => `0x${hex(byte, 2)}`).join(',') + (isLast ? '' : ',');
  return text.padEnd(BYTES_A_LINE * 5);
};

const LANGUAGES: Readonly<Record<HexTextKind, HexLanguage>> = {
  c: {
    open: (name, byteLength) => [
      `/* AML of ${name}: 0x${hex(byteLength, 1)} bytes */`,
      `#ifndef ${macroName(name)}`,
      `#define ${macroName(name)}`,
      '',
      `unsigned char ${name}_aml_code[] =`,
      '{',
    ],
    line: (bytes, comment, isLast) => `    ${bytesInC(bytes, isLast)}  /* ${comment} */`,
    close: () => ['};', '', '#endif'],
  },
  asm: {
    open: (name, byteLength) => [`; AML of ${name}: 0x${hex(byteLength, 1)} bytes`],
    line: (bytes, comment) => {
      const list = bytes.map((byte) => `0${hex(byte, 2)}h`).join(',');
      return `  db  ${list.padEnd(BYTES_A_LINE * 5 - 1)}   ; ${comment}`;
    },
    close: () => [],
  },
  asl: {
    open: (name, byteLength) => [
      `/* AML of ${name}: 0x${hex(byteLength, 1)} bytes */`,
      '    Name (BUF1, Buffer()',
      '    {',
    ],
    line: (bytes, comment, isLast) => `        ${bytesInC(bytes, isLast)}  /* ${comment} */`,
    close: () => ['    })'],
  },
};

export type HexTextKind = 'c' | 'asm' | 'asl';
export const HEX_TEXT_KINDS: readonly HexTextKind[] = ['c', 'asm', 'asl'];

/**
 * `table` as an array of C, as lines of an assembler, or as a Buffer of ASL. `fileName` gives the array its name, without directory
 * and extension, in small letters: `dsdt_aml_code`. Lines are those of iasl, so that builds can take either.
 */
export function hexText(kind: HexTextKind, table: Uint8Array, fileName: string): string {
  const language = LANGUAGES[kind];
  const name = identifierOf(fileName);
  const lines: string[] = [...language.open(name, table.length)];
  for (let offset = 0; offset < table.length; offset += BYTES_A_LINE) {
    const bytes = [...table.subarray(offset, offset + BYTES_A_LINE)];
    const isLast = offset + BYTES_A_LINE >= table.length;
    const comment = `${hex(offset, 8)}    ${`"${asciiOf(bytes)}"`.padEnd(BYTES_A_LINE + 2)}`;
    lines.push(language.line(bytes, comment, isLast).trimEnd());
  }
  return `${[...lines, ...language.close(name)].join('\n')}\n`;
}

/** Bytes as a hex dump shows them: a dot for what is no printable character. */
export const asciiOf = (bytes: readonly number[]): string =>
  bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');

/** A name that C takes: iasl leaves a minus in. */
const identifierOf = (fileName: string): string =>
  (
    fileName
      .split(/[\\/]/)
      .at(-1)!
      .replace(/\.[^.]*$/, '') || 'table'
  )
    .toLowerCase()
    .replace(/\W/g, '_');
