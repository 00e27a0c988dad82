import { FSEG } from '../../../emulator/machine/memory-map.ts';
import { hex } from '../../../shared/bytes.ts';
import { byteSum } from '../../../shared/checksum.ts';
import { RSDP_SIGNATURE, RSDP_V1_BYTES } from '../../acpi/rsdp.ts';
import { E820_TYPES } from '../../memory/e820.ts';
import { type CheckFacts, type FoundTable, tableOf } from '../facts.ts';
import { contains } from '../ranges.ts';
import { type Rule, violation } from '../rule.ts';

/** Tables as such: checksums, lengths, the way from the RSDP, where they lie. */

const place = ({ file, gpa }: FoundTable) => ({ file, ...(gpa === undefined ? {} : { offset: gpa }) });

/** Has neither the common header nor a checksum. */
const isFacs = ({ signature }: FoundTable) => signature === 'FACS';

const REQUIRED = ['FACP', 'DSDT', 'APIC', 'MCFG'];
/** Tables of which there may be several. */
const REPEATABLE: ReadonlySet<string> = new Set(['SSDT', 'UEFI', 'OEM1', 'OEM2', 'PSDT']);

export const TABLE_RULES: readonly Rule[] = [
  {
    id: 'LOADER-SCRIPT',
    severity: 'error',
    title: 'The linker/loader script runs to its end',
    linux: 'the firmware hands over no ACPI tables: "ACPI BIOS Error (bug): A valid RSDP was not found"',
    windows: 'Setup and boot stop with 0xA5',
    mend: 'build the files again; script and tables must come from one build',
    check: ({ unreadable }) => (unreadable.loader === undefined ? [] : [violation(unreadable.loader)]),
  },
  {
    id: 'RSDP-CHECKSUM',
    severity: 'error',
    title: 'The RSDP has its signature and both checksums',
    linux: 'the RSDP is not found, ACPI is off, all interrupts come by the 8259s',
    windows: 'stop 0xA5',
    mend: 'let the script compute both checksums: bytes 0–19 and the whole',
    check: checkRsdp,
  },
  {
    id: 'RSDP-PLACE',
    severity: 'error',
    title: 'The RSDP lies in the last segment below 1 MiB at a multiple of 16',
    linux: 'a kernel that gets no acpi_rsdp_addr does not find it',
    windows: 'a boot loader that scans does not find it',
    mend: 'allocate it in zone FSEG with an alignment of 16',
    check: ({ rsdp }) => {
      if (!rsdp || (contains(FSEG, { base: rsdp.gpa, size: rsdp.bytes.length }) && rsdp.gpa % 16 === 0)) return [];
      return [violation(`it lies at ${hex(rsdp.gpa)}`, { offset: rsdp.gpa })];
    },
  },
  {
    id: 'TABLE-CHECKSUM',
    severity: 'error',
    title: 'The bytes of every table sum to 0',
    linux: '"ACPI BIOS Warning (bug): Incorrect checksum in table"; the table is used all the same, or not, by kernel',
    windows: 'the table is ignored; stop 0xA5 when it was needed',
    mend: 'give the table an ADD_CHECKSUM after its last ADD_POINTER, or seal it again',
    check: ({ tables }) =>
      tables
        .filter((table) => !isFacs(table) && table.bytes.length === table.statedLength && byteSum(table.bytes) !== 0)
        .map((table) => violation(`${table.signature} sums to ${hex(byteSum(table.bytes))}`, place(table))),
  },
  {
    id: 'TABLE-LENGTH',
    severity: 'error',
    title: 'Every table has the length that its header states',
    linux: 'the table is read beyond its end or not mapped: "ACPI: Invalid table length"',
    windows: 'stop 0xA5',
    mend: 'put the length at offset 4 right, or bring the whole table',
    check: ({ tables }) =>
      tables
        .filter((table) => table.statedLength > table.available || table.statedLength < (isFacs(table) ? 64 : 36))
        .map((table) =>
          violation(
            `${table.signature} states ${table.statedLength} bytes, ${table.available} are there`,
            place(table),
          ),
        ),
  },
  {
    id: 'TABLE-REQUIRED',
    severity: 'error',
    title: 'FADT, DSDT, MADT and MCFG are there',
    linux: 'without FADT or DSDT no ACPI at all; without MADT no I/O APIC; without MCFG no extended config space',
    windows: 'stop 0xA5 without FADT, DSDT or MADT',
    mend: 'do not delete the table, or bring one with --acpitable replace=',
    check: (facts) => {
      if (facts.tables.length === 0) return [violation('there are no tables at all')];
      return REQUIRED.filter((signature) => !tableOf(facts, signature)).map((signature) =>
        violation(`there is no ${signature}`, { path: signature }),
      );
    },
  },
  {
    id: 'TABLE-ONCE',
    severity: 'warning',
    title: 'A table of which there may be one is there once',
    linux: 'the first is used, the others are ignored without a word',
    windows: 'which one is used is not defined',
    mend: 'use --acpitable replace=SIG instead of adding a second one',
    check: ({ tables }) => {
      const counts = new Map<string, number>();
      for (const { signature } of tables) counts.set(signature, (counts.get(signature) ?? 0) + 1);
      return [...counts]
        .filter(([signature, count]) => count > 1 && !REPEATABLE.has(signature))
        .map(([signature, count]) => violation(`${signature} is there ${count} times`, { path: signature }));
    },
  },
  {
    id: 'XSDT-NO-DSDT',
    severity: 'error',
    title: 'RSDT and XSDT do not list DSDT and FACS',
    linux: 'the DSDT is loaded twice: "AE_ALREADY_EXISTS"',
    windows: 'stop 0xA5',
    mend: 'point to DSDT and FACS from the FADT alone',
    check: ({ rootLists, tables }) => {
      const listed = new Set([...(rootLists.rsdt ?? []), ...(rootLists.xsdt ?? [])]);
      return tables
        .filter(({ signature, gpa }) => (signature === 'DSDT' || signature === 'FACS') && listed.has(gpa ?? -1))
        .map((table) => violation(`${table.signature} is listed`, place(table)));
    },
  },
  {
    id: 'XSDT-RSDT-AGREE',
    severity: 'warning',
    title: 'RSDT and XSDT list the same tables',
    linux: 'only the XSDT is read; a 32-bit loader sees other tables than the kernel',
    windows: 'old versions read the RSDT and miss tables',
    mend: 'list every table in both',
    check: ({ rootLists: { rsdt, xsdt } }) => {
      if (!rsdt || !xsdt) return [];
      const alone = [...xsdt.filter((gpa) => !rsdt.includes(gpa)), ...rsdt.filter((gpa) => !xsdt.includes(gpa))];
      return alone.map((gpa) => violation(`the table at ${hex(gpa)} is in one of them`, { offset: gpa }));
    },
  },
  {
    id: 'XSDT-ENTRY',
    severity: 'error',
    title: 'Every entry of RSDT and XSDT points to a table',
    linux: '"ACPI: Invalid signature" and the entry is skipped, or the kernel faults early',
    windows: 'stop 0xA5',
    mend: 'give every entry an ADD_POINTER to a table that is there',
    check: ({ rootLists, tables }) => {
      const found = new Set(tables.map(({ gpa }) => gpa));
      const lost = [...new Set([...(rootLists.rsdt ?? []), ...(rootLists.xsdt ?? [])])].filter(
        (gpa) => !found.has(gpa),
      );
      return lost.map((gpa) => violation(`${hex(gpa)} holds no table`, { offset: gpa }));
    },
  },
  {
    id: 'TABLE-IN-RAM',
    severity: 'error',
    title: 'Tables lie in RAM below 4 GiB',
    linux: 'the tables cannot be mapped, or are overwritten',
    windows: 'stop 0xA5',
    mend: 'allocate them high, and let e820 state the RAM that is there',
    check: ({ tables, e820 }) => {
      const ram = e820?.filter(({ type }) => type === E820_TYPES.RAM);
      if (!ram) return [];
      return tables
        .filter(
          ({ gpa, bytes }) =>
            gpa !== undefined && !ram.some((entry) => contains(entry, { base: gpa, size: bytes.length })),
        )
        .map((table) => violation(`${table.signature} at ${hex(table.gpa!)} lies in no RAM`, place(table)));
    },
  },
];

function checkRsdp({ rsdp }: CheckFacts) {
  if (!rsdp) return [];
  const { bytes } = rsdp;
  if (String.fromCharCode(...bytes.subarray(0, 8)) !== RSDP_SIGNATURE)
    return [violation('it has no signature "RSD PTR "')];
  const wrong = [
    { what: 'the first 20 bytes', sum: byteSum(bytes.subarray(0, RSDP_V1_BYTES)) },
    { what: 'all bytes', sum: byteSum(bytes) },
  ].filter(({ sum }) => sum !== 0);
  return wrong.map(({ what, sum }) => violation(`${what} sum to ${hex(sum)}`));
}
