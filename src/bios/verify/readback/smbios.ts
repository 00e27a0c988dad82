import { hex } from '../../../shared/bytes.ts';
import { byteSum } from '../../../shared/checksum.ts';
import type { FirmwareFiles } from '../../artifacts.ts';
import { SMBIOS_ANCHOR_FILE_NAME, SMBIOS_TABLES_FILE_NAME } from '../../smbios/build.ts';
import { ENTRY_POINT_32, ENTRY_POINT_64 } from '../../smbios/structures.ts';
import { judged, type ReportItem, same } from './item.ts';
import type { LinuxReport } from './linux-report.ts';

const hexText = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** The entry point without what the firmware fills in: the structures' address and the checksums. */
function withoutAddress(entryPoint: Uint8Array): Uint8Array {
  const copy = entryPoint.slice();
  const wide = entryPoint[3] === '3'.charCodeAt(0);
  const fields = wide
    ? [ENTRY_POINT_64.fields.TABLE_ADDRESS, ENTRY_POINT_64.fields.CHECKSUM]
    : [
        ENTRY_POINT_32.fields.TABLE_ADDRESS,
        ENTRY_POINT_32.fields.CHECKSUM,
        ENTRY_POINT_32.fields.INTERMEDIATE_CHECKSUM,
      ];
  for (const { offset, byteLength } of fields) copy.fill(0, offset, offset + byteLength);
  return copy;
}

/** The SMBIOS structures byte for byte, the entry point up to the address and its checksum, which must be right. */
export function compareSmbios(files: FirmwareFiles, report: LinuxReport): ReportItem[] {
  const anchor = files.get(SMBIOS_ANCHOR_FILE_NAME);
  const structures = files.get(SMBIOS_TABLES_FILE_NAME);
  if (anchor === undefined || structures === undefined) return [];
  const seenAnchor = report.bytes('dmi/smbios_entry_point') ?? new Uint8Array(0);
  const seenStructures = report.bytes('dmi/DMI') ?? new Uint8Array(0);
  const sum = byteSum(seenAnchor);
  const equal = hexText(structures) === hexText(seenStructures);
  return [
    same('smbios entry point', hexText(withoutAddress(anchor)), hexText(withoutAddress(seenAnchor))),
    judged(
      'smbios entry point checksum',
      hex(0),
      seenAnchor.length === 0 ? 'nothing' : hex(sum),
      seenAnchor.length > 0 && sum === 0,
    ),
    judged(
      'smbios structures',
      `${structures.length} bytes`,
      `${seenStructures.length} bytes${equal ? ', the same' : ', different'}`,
      equal,
    ),
  ];
}
