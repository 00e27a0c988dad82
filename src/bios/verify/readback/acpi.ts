import { hex, viewOf } from '../../../shared/bytes.ts';
import { byteSum } from '../../../shared/checksum.ts';
import { defaultAllocator, executeScript, type LoadedImage } from '../../acpi/linker/load.ts';
import { RSDP_FILE_NAME } from '../../acpi/linker/script.ts';
import { RSDP } from '../../acpi/rsdp.ts';
import type { FirmwareFiles } from '../../artifacts.ts';
import { judged, type ReportItem, same } from './item.ts';
import type { LinuxReport } from './linux-report.ts';

/** A table in guest memory. */
export interface LoadedTable {
  /** As Linux names it: the signature, with a number where it stands several times. */
  readonly name: string;
  readonly gpa: number;
  readonly bytes: Uint8Array;
}

const HEADER_BYTES = 36;
/** FADT fields (ACPI 6.5 §5.2.9). */
const FADT = { FIRMWARE_CTRL: 36, DSDT: 40, X_FIRMWARE_CTRL: 132, X_DSDT: 140 } as const;

function pointerAt(bytes: Uint8Array, offset: number, wide: boolean): number {
  const view = viewOf(bytes);
  if (offset + (wide ? 8 : 4) > bytes.length) return 0;
  return wide ? Number(view.getBigUint64(offset, true)) : view.getUint32(offset, true);
}

/** The bytes of the table at `gpa`, by the length in its header (FACS as well: its length stands at the same place). */
function tableAt(image: LoadedImage, gpa: number): Uint8Array | undefined {
  for (const file of image.files.values()) {
    const offset = gpa - file.gpa;
    if (offset < 0 || offset + 8 > file.bytes.length) continue;
    const byteLength = viewOf(file.bytes).getUint32(offset + 4, true);
    if (offset + byteLength <= file.bytes.length) return file.bytes.subarray(offset, offset + byteLength);
  }
  return undefined;
}

const signatureOf = (table: Uint8Array): string => new TextDecoder('latin1').decode(table.subarray(0, 4));

/** Every table that the RSDP leads to, in the order in which Linux meets them: XSDT, then its entries, DSDT and FACS after the FADT. */
export function tablesInImage(image: LoadedImage): LoadedTable[] {
  const rsdp = image.files.get(RSDP_FILE_NAME);
  if (rsdp === undefined) return [];
  const xsdtAt = pointerAt(rsdp.bytes, RSDP.fields.XSDT_ADDRESS.offset, true);
  const xsdt = tableAt(image, xsdtAt);
  if (xsdt === undefined) return [];
  const found: { signature: string; gpa: number; bytes: Uint8Array }[] = [];
  const add = (gpa: number): Uint8Array | undefined => {
    const bytes = gpa === 0 ? undefined : tableAt(image, gpa);
    if (bytes !== undefined) found.push({ signature: signatureOf(bytes), gpa, bytes });
    return bytes;
  };
  add(xsdtAt);
  for (let offset = HEADER_BYTES; offset + 8 <= xsdt.length; offset += 8) {
    const table = add(pointerAt(xsdt, offset, true));
    if (table === undefined || signatureOf(table) !== 'FACP') continue;
    add(pointerAt(table, FADT.X_DSDT, true) || pointerAt(table, FADT.DSDT, false));
    add(pointerAt(table, FADT.X_FIRMWARE_CTRL, true) || pointerAt(table, FADT.FIRMWARE_CTRL, false));
  }
  const seen = new Map<string, number>();
  return found.map(({ signature, gpa, bytes }) => {
    const number = (seen.get(signature) ?? 0) + 1;
    seen.set(signature, number);
    const several = found.filter((other) => other.signature === signature).length > 1;
    return { name: several ? `${signature}${number}` : signature, gpa, bytes };
  });
}

/** The RSDT, which only a guest that reads the RSDP itself meets; none on a board without one. */
export function rsdtInImage(image: LoadedImage): LoadedTable[] {
  const rsdp = image.files.get(RSDP_FILE_NAME);
  const gpa = rsdp === undefined ? 0 : pointerAt(rsdp.bytes, RSDP.fields.RSDT_ADDRESS.offset, false);
  const bytes = gpa === 0 ? undefined : tableAt(image, gpa);
  return bytes === undefined ? [] : [{ name: 'RSDT', gpa, bytes }];
}

/** Addresses that the kernel logged: `ACPI: DSDT 0x000000000FFFD2C0 002A54 …`, by signature, in order. */
function loggedAddresses(messages: readonly string[]): Map<string, number[]> {
  const addresses = new Map<string, number[]>();
  for (const message of messages) {
    const match = /^ACPI: (\S{4}) (0x[0-9A-F]{16}) [0-9A-F]{6}/.exec(message);
    if (match === null) continue;
    addresses.set(match[1], [...(addresses.get(match[1]) ?? []), Number(match[2])]);
  }
  return addresses;
}

/** Where a guest found the two files of tables: the addresses of the RSDP and of the DSDT. */
export interface TableAddresses {
  readonly rsdp: number | undefined;
  readonly dsdt: number | undefined;
}

/**
 * The files as the guest's firmware linked them: the script is executed again, with the addresses that the guest saw.
 * Undefined when it saw none.
 */
export function relinkAt(files: FirmwareFiles, { rsdp, dsdt }: TableAddresses): LoadedImage | undefined {
  if (dsdt === undefined || rsdp === undefined) return undefined;
  const provisional = executeScript(files, defaultAllocator(0x8000_0000));
  const built = tablesInImage(provisional).find(({ name }) => name === 'DSDT');
  const home = [...provisional.files.values()].find(
    ({ gpa, bytes }) => built !== undefined && built.gpa >= gpa && built.gpa < gpa + bytes.length,
  );
  if (built === undefined || home === undefined) return undefined;
  const fallback = defaultAllocator(0x8000_0000);
  return executeScript(files, (file, byteLength, align, zone) => {
    if (file === home.file) return dsdt - (built.gpa - home.gpa);
    return file === RSDP_FILE_NAME ? rsdp : fallback(file, byteLength, align, zone);
  });
}

/** Length and a word on where two tables part. */
export function compareBytes(subject: string, built: Uint8Array, seen: Uint8Array | undefined): ReportItem {
  const text = (bytes: Uint8Array) => `${bytes.length} bytes, sum ${hex(byteSum(bytes), 2)}`;
  if (seen === undefined) return judged(subject, text(built), 'nothing', false);
  const different = built.findIndex((byte, index) => byte !== seen[index]);
  const equal = different < 0 && built.length === seen.length;
  const at = different < 0 ? Math.min(built.length, seen.length) : different;
  return judged(
    subject,
    text(built),
    equal
      ? `${text(seen)}, the same bytes`
      : `${text(seen)}, first difference at ${hex(at)}: ${hex(built[at] ?? 0, 2)} built, ${hex(seen[at] ?? 0, 2)} seen`,
    equal,
  );
}

/** Tables byte for byte and at the addresses that the kernel logged; a table that was not built is an item as well. */
export function compareAcpi(files: FirmwareFiles, report: LinuxReport): ReportItem[] {
  const logged = loggedAddresses(report.messages);
  const image = relinkAt(files, { rsdp: logged.get('RSDP')?.[0], dsdt: logged.get('DSDT')?.[0] });
  if (image === undefined) return [judged('acpi', 'tables', 'the kernel logged no RSDP or DSDT', false)];
  const tables = tablesInImage(image);
  const items: ReportItem[] = [];
  for (const { name, gpa, bytes } of tables) {
    const addresses = logged.get(signatureOf(bytes)) ?? [];
    items.push(
      judged(
        `acpi ${name} address`,
        hex(gpa),
        addresses.map((at) => hex(at)).join(', ') || 'nothing',
        addresses.includes(gpa),
      ),
    );
    // The XSDT is not among the files of /sys/firmware/acpi/tables; its entries are checked by the tables they lead to.
    if (name !== 'XSDT') items.push(compareBytes(`acpi ${name}`, bytes, report.bytes(`acpi/${name}`)));
  }
  const known = new Set(tables.map(({ name }) => name));
  const strangers = report.list('acpi').filter((name) => !known.has(name));
  return [...items, ...strangers.map((name) => same(`acpi ${name}`, 'nothing', 'a table'))];
}
