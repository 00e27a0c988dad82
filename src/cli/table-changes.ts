import type { TableChange } from '../bios/acpi/surgery/patch.ts';
import { UserError } from '../shared/errors.ts';

/** @throws UserError PATCH_SYNTAX */
export function parseRename(text: string): TableChange {
  const match = /^(\w{1,4})=(\w{1,4})$/.exec(text);
  if (!match) throw refused('--rename', text, 'write OLD=NEW, each of up to four characters');
  return { kind: 'rename', from: match[1], to: match[2] };
}

/** @throws UserError PATCH_SYNTAX */
export function parseNameChange(text: string): TableChange {
  const match = /^(\\?[\w.]+)=(.*)$/s.exec(text);
  if (!match) throw refused('--set', text, "write PATH=VALUE, such as '\\_SB.PCI0._UID=1'");
  const [, path, value] = match;
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(value)) return { kind: 'set', path, value: value.replace(/^"(.*)"$/s, '$1') };
  if (BigInt(value) > 0xffff_ffff_ffff_ffffn) throw refused('--set', text, 'give a number of up to 64 bits');
  return { kind: 'set', path, value: BigInt(value) };
}

/** @throws UserError PATCH_SYNTAX */
export function parseByteChange(text: string): TableChange {
  const match = /^([\w:!]+)\+(0x[0-9a-f]+|\d+)=((?:[0-9a-f]{2})+)$/i.exec(text);
  if (!match) throw refused('--bytes', text, 'write TABLE+OFFSET=HEX, such as FACP+0x2e=0900');
  const bytes = Uint8Array.from(match[3].match(/../g)!, (byte) => Number.parseInt(byte, 16));
  return { kind: 'bytes', selector: match[1], offset: Number(match[2]), bytes };
}

function refused(flag: string, text: string, mend: string): UserError {
  return new UserError('PATCH_SYNTAX', `'${text}' is no change`, { place: { file: flag }, mend });
}
