/** Generic register descriptor: ACPI 6.5 §6.4.3.7. */
import { REGION_SPACES } from '../opcodes.ts';
import { aslHex, bodyView, type DescriptorCodec, NAME_SLOT, u64 } from './descriptor.ts';

export interface Register {
  readonly kind: 'Register';
  /** A value of REGION_SPACES. */
  readonly addressSpace: number;
  readonly bitWidth: number;
  readonly bitOffset: number;
  /** 0 undefined, 1 byte, 2 word, 3 dword, 4 qword. */
  readonly accessSize: number;
  readonly address: bigint;
}

export const REGISTER: DescriptorCodec<Register> = {
  kind: 'Register',
  tags: [0x82],
  encode({ addressSpace, bitWidth, bitOffset, accessSize, address }) {
    return { tag: 0x82, body: [addressSpace, bitWidth, bitOffset, accessSize, ...u64(address)] };
  },
  decode(body) {
    if (body.length < 12) return undefined;
    const [addressSpace, bitWidth, bitOffset, accessSize] = body;
    const address = bodyView(body).getBigUint64(4, true);
    return { kind: 'Register', addressSpace, bitWidth, bitOffset, accessSize, address };
  },
  asl({ addressSpace, bitWidth, bitOffset, accessSize, address }) {
    const space = Object.entries(REGION_SPACES).find(([, value]) => value === addressSpace)?.[0];
    const numbers = [aslHex(bitWidth, 2), aslHex(bitOffset, 2), aslHex(address, 16)];
    return { name: 'Register', args: [space ?? aslHex(addressSpace, 2), ...numbers, aslHex(accessSize, 2), NAME_SLOT] };
  },
};
