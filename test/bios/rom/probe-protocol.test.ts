import { describe, expect, it } from 'vitest';
import { parseProbeReport } from '../../../src/bios/rom/probe/protocol.ts';

const SERIAL = [
  'q35: enter: PVH entry 0x100000',
  'probe begin version=0x1',
  'probe memory base=0x100000000 size=0x10000000 type=0x1',
  'probe table signature=RSD_PTR_ address=0xf0000 length=0x4 sum=0x0',
  'probe bytes address=0xf0000 data=5253',
  'probe bytes address=0xf0002 data=4420',
  'probe ecam base=0xb0000000 first=0x0 last=0xff',
  'probe function bus=0x1 device=0x2 function=0x3 mismatch=0x40 config=00ff10',
  'probe bar bus=0x1 device=0x2 function=0x3 index=0x2 kind=mem64-prefetchable base=0x200000000 size=0x200000000 decode=0x1',
  'probe access bus=0x1 device=0x2 function=0x3 index=0x2 first=0x1 last=0xffffffff',
  'probe echo bus=0x1 device=0x2 function=0x3 index=0x2 offset=0x4 written=0x1 expected=0xfffffffe read=0xfffffffe',
  'probe interrupt bus=0x1 device=0x2 function=0x3 line=0xa gsi=none count=0x0',
  'probe fault vector=0xe error=0x2 rip=0x100010 cr2=0x123',
  'probe gar',
  'probe end functions=0x1',
].join('\r\n');

describe('parseProbeReport', () => {
  it('reads every item', () => {
    const place = { bus: 1, device: 2, function: 3 };
    expect(parseProbeReport(SERIAL)).toEqual({
      complete: true,
      memory: [{ base: 0x1_0000_0000, size: 0x1000_0000, type: 1 }],
      tables: [
        { signature: 'RSD PTR ', address: 0xf0000, length: 4, sum: 0, bytes: new Uint8Array([0x52, 0x53, 0x44, 0x20]) },
      ],
      ecam: { base: 0xb000_0000, firstBus: 0, lastBus: 255 },
      functions: [{ ...place, config: new Uint8Array([0, 0xff, 0x10]), mismatch: 0x40 }],
      bars: [
        {
          ...{ ...place, index: 2, kind: 'mem64-prefetchable', base: 0x2_0000_0000, size: 0x2_0000_0000, decode: true },
          ...{ first: 1, last: 0xffff_ffff },
          echo: { offset: 4, written: 1, expected: 0xffff_fffe, read: 0xffff_fffe, holds: true },
        },
      ],
      interrupts: [{ ...place, line: 10, gsi: undefined, count: 0 }],
      faults: [{ vector: 14, error: 2, rip: 0x10_0010, cr2: 0x123 }],
      unknown: ['probe gar'],
    });
  });

  it('is incomplete without the end', () => {
    expect(parseProbeReport(SERIAL.slice(0, 300)).complete).toBe(false);
    expect(parseProbeReport('').functions).toEqual([]);
  });
});
