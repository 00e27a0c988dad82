import { describe, expect, it } from 'vitest';
import { createAssembler } from '../../../src/bios/rom/assembler/assembler.ts';
import { countDown, invoke, procedure, when } from '../../../src/bios/rom/assembler/macros.ts';
import { at, byte, dword, offsetIn, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import { ah, eax, rax, rbx, rcx, rdi, rip, sil } from '../../../src/bios/rom/assembler/registers.ts';

function assembleBytes(write: (code: ReturnType<typeof createAssembler>) => void, base = 0x1000): number[] {
  const code = createAssembler();
  code.section('text', base);
  write(code);
  return [...code.assemble().sections.get('text')!.bytes];
}

describe('jumps', () => {
  it('are short where they reach and near where they do not', () => {
    const bytes = assembleBytes((code) => {
      code.branch('z', 'near');
      code.jump('close');
      code.label('close');
      code.space(125);
      code.label('near');
    });
    expect(bytes.slice(0, 4)).toEqual([0x74, 127, 0xeb, 0x00]);
    const longer = assembleBytes((code) => {
      code.branch('z', 'far');
      code.space(128);
      code.label('far');
      code.jump('far');
    });
    expect(longer.slice(0, 6)).toEqual([0x0f, 0x84, 128, 0, 0, 0]);
    expect(longer.slice(-2)).toEqual([0xeb, 0xfe]);
  });

  it('that grow may push others out of reach', () => {
    const bytes = assembleBytes((code) => {
      code.jump('a');
      code.space(123);
      code.branch('nz', 'b');
      code.label('a');
      code.space(130);
      code.label('b');
    });
    expect(bytes.slice(0, 5)).toEqual([0xe9, 129, 0, 0, 0]);
  });

  it('use 16-bit displacements in 16-bit code', () => {
    const bytes = assembleBytes((code) => {
      code.bits(16);
      code.jump('far');
      code.space(200);
      code.label('far');
      code.call('far');
      code.farJump(0x08, symbol('far'), 32);
    });
    expect(bytes.slice(0, 3)).toEqual([0xe9, 200, 0]);
    expect(bytes.slice(203)).toEqual([0xe8, 0xfd, 0xff, 0x66, 0xea, 0xcb, 0x10, 0, 0, 0x08, 0]);
  });
});

describe('labels and data', () => {
  it('resolve across sections, with addends and relative to a segment', () => {
    const code = createAssembler();
    code.section('code', 0xf0100);
    code.bits(16);
    code.mov(eax, dword(offsetIn(0xf0000, 'value')));
    code.section('data', 0xf0200);
    code.label('value');
    code.dd(0x1234_5678, symbol('value', 4));
    code.asciz('ok');
    code.align(16);
    code.org(0xf0220, 0xff);
    const { sections, symbols } = code.assemble();
    expect([...sections.get('code')!.bytes]).toEqual([0x66, 0x8b, 0x06, 0x00, 0x02]);
    expect([...sections.get('data')!.bytes.subarray(0, 8)]).toEqual([0x78, 0x56, 0x34, 0x12, 0x04, 0x02, 0x0f, 0x00]);
    expect(sections.get('data')!.bytes.length).toBe(0x20);
    expect(symbols).toEqual(new Map([['value', 0xf0200]]));
  });

  it('work relative to RIP', () => {
    const bytes = assembleBytes((code) => {
      code.lea(rax, at(rip, 'next'));
      code.label('next');
    });
    expect(bytes).toEqual([0x48, 0x8d, 0x05, 0, 0, 0, 0]);
  });

  it('are refused when missing, doubled or too far', () => {
    expect(() => assembleBytes((code) => code.jump('nowhere'))).toThrow('nowhere is not defined');
    expect(() =>
      assembleBytes((code) => {
        code.label('twice');
        code.label('twice');
      }),
    ).toThrow('twice is defined twice');
    expect(() =>
      assembleBytes((code) => {
        code.label('here');
        code.dw(symbol('here'));
      }, 0x12_3456),
    ).toThrow('does not fit 16 bits');
  });
});

describe('operands that no instruction takes', () => {
  it.each([
    ['memory of unknown size', (code) => code.inc(at(rax))],
    ['a byte beside a word', (code) => code.mov(eax, ah)],
    ['an immediate that does not fit', (code) => code.add(byte(rax), 256)],
    ['AH with REX', (code) => code.mov(ah, sil)],
  ] as [string, (code: ReturnType<typeof createAssembler>) => void][])('%s', (_, write) => {
    expect(() => assembleBytes(write)).toThrow();
  });
});

describe('structured macros', () => {
  it('make the branches that a person would', () => {
    const bytes = assembleBytes((code) => {
      procedure(code, 'proc', [rbx], () => {
        countDown(code, rcx, () => {
          when(
            code,
            'z',
            () => code.nop(),
            () => code.hlt(),
          );
        });
        invoke(code, 'proc', 0, rbx);
      });
    });
    expect(bytes).toEqual([
      ...[0x53, 0x48, 0x83, 0xf9, 0x00, 0x74, 0x0b, 0x75, 0x03, 0x90, 0xeb, 0x01, 0xf4, 0x48, 0xff, 0xc9, 0x75, 0xf5],
      ...[0x31, 0xff, 0x48, 0x89, 0xde, 0xe8, 0xe4, 0xff, 0xff, 0xff, 0x5b, 0xc3],
    ]);
  });

  it('load registers in the shortest way', () => {
    const bytes = assembleBytes((code) => {
      invoke(code, 'here', 0xffff_ffff);
      code.label('here');
      code.mov(rdi, -1);
    });
    expect(bytes.slice(0, 5)).toEqual([0xbf, 0xff, 0xff, 0xff, 0xff]);
  });
});
