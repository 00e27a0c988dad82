import { SEVERAL_PROCESSORS } from '../model/features.ts';
import { type InstructionRow, type RowOptions, row, systemRow } from './row.ts';
import type { Size } from './semantics.ts';

const ALL: readonly Size[] = [2, 4, 8];
const GOES_ON: RowOptions = { ends: false };

/** 0F 01: system tables by ModRM.reg, and instructions by the whole ModRM byte. */
function group7Rows(): InstructionRow[] {
  const memory: RowOptions = { only: 'mem', sizes: ALL };
  return [
    systemRow('0f', 0x01, 'SGDT', ['M'], { ...memory, group: 0 }),
    systemRow('0f', 0x01, 'SIDT', ['M'], { ...memory, group: 1 }),
    systemRow('0f', 0x01, 'LGDT', ['M'], { ...memory, group: 2 }),
    systemRow('0f', 0x01, 'LIDT', ['M'], { ...memory, group: 3 }),
    systemRow('0f', 0x01, 'SMSW', ['Ev'], { group: 4 }),
    systemRow('0f', 0x01, 'LMSW', ['Ew'], { group: 6 }),
    systemRow('0f', 0x01, 'INVLPG', ['M'], { ...memory, group: 7 }),
    row('0f', 0x01, 'SERIALIZE', [], () => {}, { modRm: 0xe8, prefix: 0 }),
    systemRow('0f', 0x01, 'XGETBV', [], { modRm: 0xd0, prefix: 0, feature: 'xsave', ...GOES_ON }),
    systemRow('0f', 0x01, 'XSETBV', [], { modRm: 0xd1, prefix: 0, feature: 'xsave' }),
    systemRow('0f', 0x01, 'RDPKRU', [], { modRm: 0xee, prefix: 0, feature: 'pku', ...GOES_ON }),
    systemRow('0f', 0x01, 'WRPKRU', [], { modRm: 0xef, prefix: 0, feature: 'pku' }),
  ];
}

function portRows(): InstructionRow[] {
  const word: readonly Size[] = [2, 4];
  return [
    systemRow('1', 0xe4, 'IN', ['AL', 'Ib'], { sizes: [1] }),
    systemRow('1', 0xe5, 'IN', ['rAX', 'Ib'], { sizes: word }),
    systemRow('1', 0xe6, 'OUT', ['Ib', 'AL'], { sizes: [1] }),
    systemRow('1', 0xe7, 'OUT', ['Ib', 'rAX'], { sizes: word }),
    systemRow('1', 0xec, 'IN', ['AL', 'DX'], { sizes: [1] }),
    systemRow('1', 0xed, 'IN', ['rAX', 'DX'], { sizes: word }),
    systemRow('1', 0xee, 'OUT', ['DX', 'AL'], { sizes: [1] }),
    systemRow('1', 0xef, 'OUT', ['DX', 'rAX'], { sizes: word }),
    systemRow('1', 0x6c, 'INS', [], { sizes: [1] }),
    systemRow('1', 0x6d, 'INS', [], { sizes: word }),
    systemRow('1', 0x6e, 'OUTS', [], { sizes: [1] }),
    systemRow('1', 0x6f, 'OUTS', [], { sizes: word }),
  ];
}

function x87Rows(): InstructionRow[] {
  return Array.from({ length: 8 }, (_, index) =>
    systemRow('1', 0xd8 + index, 'X87', [], { hasModRm: true, sizes: ALL, ...GOES_ON }),
  );
}

/** Instructions in TypeScript; handlers stand in system/ and x87/ under the same names. */
export const SYSTEM_ROWS: readonly InstructionRow[] = [
  ...group7Rows(),
  ...portRows(),
  ...x87Rows(),
  systemRow('0f', 0x77, 'EMMS', [], GOES_ON),
  systemRow('1', 0x9b, 'FWAIT', [], GOES_ON),
  systemRow('0f', 0xae, 'FXSAVE', ['M'], { group: 0, only: 'mem', prefix: 0, sizes: ALL, ...GOES_ON }),
  systemRow('0f', 0xae, 'FXRSTOR', ['M'], { group: 1, only: 'mem', prefix: 0, sizes: ALL, ...GOES_ON }),
  systemRow('0f', 0xae, 'LDMXCSR', ['M'], { group: 2, only: 'mem', prefix: 0, ...GOES_ON }),
  systemRow('0f', 0xae, 'STMXCSR', ['M'], { group: 3, only: 'mem', prefix: 0, ...GOES_ON }),
  systemRow('0f', 0xae, 'XSAVE', ['M'], { group: 4, only: 'mem', prefix: 0, sizes: ALL, feature: 'xsave', ...GOES_ON }),
  systemRow('0f', 0xae, 'XRSTOR', ['M'], {
    group: 5,
    only: 'mem',
    prefix: 0,
    sizes: ALL,
    feature: 'xsave',
    ...GOES_ON,
  }),
  systemRow('0f', 0xae, 'XSAVEOPT', ['M'], {
    group: 6,
    only: 'mem',
    prefix: 0,
    sizes: ALL,
    feature: 'xsaveopt',
    ...GOES_ON,
  }),
  ...(
    [
      [3, 'XRSTORS', 'xsaves'],
      [4, 'XSAVEC', 'xsavec'],
      [5, 'XSAVES', 'xsaves'],
    ] as const
  ).map(([group, name, feature]) =>
    systemRow('0f', 0xc7, name, ['M'], { group, only: 'mem', prefix: 0, sizes: ALL, feature, ...GOES_ON }),
  ),
  ...['RDFSBASE', 'RDGSBASE', 'WRFSBASE', 'WRGSBASE'].map((name, group) =>
    systemRow('0f', 0xae, name, ['Ry'], {
      group,
      only: 'reg',
      prefix: 0xf3,
      only64: true,
      sizes: [4, 8],
      feature: 'fsgsbase',
    }),
  ),
  systemRow('0f38', 0x82, 'INVPCID', ['Gy', 'Mdq'], { only: 'mem', prefix: 0x66, feature: 'invpcid' }),
  row('0f', 0xae, 'LFENCE', [], () => {}, { group: 5, only: 'reg' }),
  row('0f', 0xae, 'MFENCE', [], () => {}, { group: 6, only: 'reg' }),
  row('0f', 0xae, 'SFENCE', [], () => {}, { group: 7, only: 'reg' }),
  row('0f', 0xae, 'CLFLUSH', ['Eb'], (c) => void c.let(c.get(0)), { group: 7, only: 'mem' }),
  row('0f', 0xae, 'CLFLUSHOPT', ['Eb'], (c) => void c.let(c.get(0)), {
    group: 7,
    only: 'mem',
    prefix: 0x66,
    feature: 'clflushopt',
  }),
  row('0f', 0xae, 'CLWB', ['Eb'], (c) => void c.let(c.get(0)), {
    group: 6,
    only: 'mem',
    prefix: 0x66,
    feature: 'clwb',
  }),
  systemRow('0f', 0x00, 'SLDT', ['Ev'], { group: 0 }),
  systemRow('0f', 0x00, 'STR', ['Ev'], { group: 1 }),
  systemRow('0f', 0x00, 'LLDT', ['Ew'], { group: 2 }),
  systemRow('0f', 0x00, 'LTR', ['Ew'], { group: 3 }),
  systemRow('0f', 0x00, 'VERR', ['Ew'], { group: 4 }),
  systemRow('0f', 0x00, 'VERW', ['Ew'], { group: 5 }),
  systemRow('0f', 0x02, 'LAR', ['Gv', 'Ew']),
  systemRow('0f', 0x03, 'LSL', ['Gv', 'Ew']),
  systemRow('0f', 0x06, 'CLTS', []),
  systemRow('0f', 0x08, 'INVD', []),
  systemRow('0f', 0x09, 'WBINVD', []),
  systemRow('0f', 0x0b, 'UD2', []),
  systemRow('0f', 0xb9, 'UD1', [], { hasModRm: true }),
  systemRow('0f', 0xff, 'UD0', [], { hasModRm: true }),
  systemRow('0f', 0x20, 'MOV_FROM_CR', ['C', 'R'], { sizes: [4, 8], force64: true }),
  systemRow('0f', 0x21, 'MOV_FROM_DR', ['D', 'R'], { sizes: [4, 8], force64: true }),
  systemRow('0f', 0x22, 'MOV_TO_CR', ['C', 'R'], { sizes: [4, 8], force64: true }),
  systemRow('0f', 0x23, 'MOV_TO_DR', ['D', 'R'], { sizes: [4, 8], force64: true }),
  systemRow('0f', 0x30, 'WRMSR', []),
  systemRow('0f', 0x32, 'RDMSR', []),
  systemRow('0f', 0x33, 'RDPMC', []),
  systemRow('0f', 0xa2, 'CPUID', [], GOES_ON),
  systemRow('0f', 0xaa, 'RSM', []),
  systemRow('1', 0x62, 'BOUND', ['Gv', 'M'], { no64: true, only: 'mem', sizes: [2, 4] }),
  systemRow('1', 0x63, 'ARPL', ['Ew', 'Gw'], { no64: true }),
  systemRow('1', 0xc4, 'LOAD_FAR_POINTER', ['Gv', 'M'], { no64: true, only: 'mem', sizes: [2, 4] }),
  systemRow('1', 0xc5, 'LOAD_FAR_POINTER', ['Gv', 'M'], { no64: true, only: 'mem', sizes: [2, 4] }),
  systemRow('0f', 0xb2, 'LOAD_FAR_POINTER', ['Gv', 'M'], { only: 'mem' }),
  systemRow('0f', 0xb4, 'LOAD_FAR_POINTER', ['Gv', 'M'], { only: 'mem' }),
  systemRow('0f', 0xb5, 'LOAD_FAR_POINTER', ['Gv', 'M'], { only: 'mem' }),
  systemRow('1', 0x9a, 'CALL_FAR_POINTER', ['Ap'], { no64: true, sizes: [2, 4] }),
  systemRow('1', 0xea, 'JMP_FAR_POINTER', ['Ap'], { no64: true, sizes: [2, 4] }),
  systemRow('1', 0xff, 'CALL_FAR_MEMORY', ['M'], { group: 3, only: 'mem', sizes: ALL }),
  systemRow('1', 0xff, 'JMP_FAR_MEMORY', ['M'], { group: 5, only: 'mem', sizes: ALL }),
  systemRow('1', 0xca, 'RETF', ['Iw'], { sizes: ALL }),
  systemRow('1', 0xcb, 'RETF', [], { sizes: ALL }),
  systemRow('1', 0xc8, 'ENTER', ['Iw', 'Ib'], { default64: true, sizes: ALL }),
  systemRow('1', 0xcc, 'INT3', []),
  systemRow('1', 0xce, 'INTO', [], { no64: true }),
  systemRow('1', 0xf1, 'INT1', []),
  systemRow('1', 0xf4, 'HLT', []),
  // With a single processor it is a NOP (transfer.ts).
  systemRow('1', 0x90, 'PAUSE', [], { prefix: 0xf3, withoutRexB: true, feature: SEVERAL_PROCESSORS }),
];
