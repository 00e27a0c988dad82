/* What CPUID can announce, and where (SDM vol. 2, CPUID). Facts only; the names are QEMU's. */

export type CpuidRegister = 'eax' | 'ebx' | 'ecx' | 'edx';

/** Place of a feature's bit. */
export interface FeaturePlace {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidRegister;
  readonly bit: number;
}

const at = (leaf: number, subleaf: number, register: CpuidRegister, bit: number): FeaturePlace => ({
  leaf,
  subleaf,
  register,
  bit,
});
const c1 = (bit: number) => at(1, 0, 'ecx', bit);
const d1 = (bit: number) => at(1, 0, 'edx', bit);
const b7 = (bit: number) => at(7, 0, 'ebx', bit);
const c7 = (bit: number) => at(7, 0, 'ecx', bit);
const EXTENDED = 0x8000_0001;

export const CPU_FEATURES = {
  fpu: d1(0),
  de: d1(2),
  pse: d1(3),
  tsc: d1(4),
  msr: d1(5),
  pae: d1(6),
  mce: d1(7),
  cx8: d1(8),
  apic: d1(9),
  sep: d1(11),
  mtrr: d1(12),
  pge: d1(13),
  mca: d1(14),
  cmov: d1(15),
  pat: d1(16),
  pse36: d1(17),
  clflush: d1(19),
  mmx: d1(23),
  fxsr: d1(24),
  sse: d1(25),
  sse2: d1(26),
  sse3: c1(0),
  pclmulqdq: c1(1),
  ssse3: c1(9),
  fma: c1(12),
  cx16: c1(13),
  pcid: c1(17),
  'sse4.1': c1(19),
  'sse4.2': c1(20),
  x2apic: c1(21),
  movbe: c1(22),
  popcnt: c1(23),
  'tsc-deadline': c1(24),
  aes: c1(25),
  xsave: c1(26),
  avx: c1(28),
  f16c: c1(29),
  rdrand: c1(30),
  fsgsbase: b7(0),
  'tsc-adjust': b7(1),
  bmi1: b7(3),
  avx2: b7(5),
  smep: b7(7),
  bmi2: b7(8),
  erms: b7(9),
  invpcid: b7(10),
  rdseed: b7(18),
  adx: b7(19),
  smap: b7(20),
  clflushopt: b7(23),
  clwb: b7(24),
  'sha-ni': b7(29),
  umip: c7(2),
  pku: c7(3),
  la57: c7(16),
  rdpid: c7(22),
  serialize: at(7, 0, 'edx', 14),
  xsaveopt: at(13, 1, 'eax', 0),
  xsavec: at(13, 1, 'eax', 1),
  xgetbv1: at(13, 1, 'eax', 2),
  xsaves: at(13, 1, 'eax', 3),
  lahf_lm: at(EXTENDED, 0, 'ecx', 0),
  lzcnt: at(EXTENDED, 0, 'ecx', 5),
  syscall: at(EXTENDED, 0, 'edx', 11),
  nx: at(EXTENDED, 0, 'edx', 20),
  rdtscp: at(EXTENDED, 0, 'edx', 27),
  lm: at(EXTENDED, 0, 'edx', 29),
} as const satisfies Readonly<Record<string, FeaturePlace>>;

/** Not CPUID's: the condition of instructions that differ where a board has several processors. */
export const SEVERAL_PROCESSORS = 'several-processors';

export type CpuFeature = keyof typeof CPU_FEATURES;

/** What a feature cannot be without. */
export const REQUIRED_FEATURES: Partial<Readonly<Record<CpuFeature, readonly CpuFeature[]>>> = {
  ssse3: ['sse3'],
  'sse4.1': ['ssse3'],
  'sse4.2': ['sse4.1'],
  aes: ['sse2'],
  pclmulqdq: ['sse2'],
  'sha-ni': ['sse2'],
  xsaveopt: ['xsave'],
  xsavec: ['xsave'],
  xgetbv1: ['xsave'],
  xsaves: ['xsavec'],
  pku: ['xsave'],
  avx: ['xsave', 'sse4.2'],
  avx2: ['avx'],
  fma: ['avx'],
  f16c: ['avx'],
};

/** Other spellings: those of Linux's /proc/cpuinfo and of the SDM. */
export const FEATURE_ALIASES: Readonly<Record<string, CpuFeature>> = {
  pni: 'sse3',
  sse4_1: 'sse4.1',
  sse4_2: 'sse4.2',
  'sse4-1': 'sse4.1',
  'sse4-2': 'sse4.2',
  abm: 'lzcnt',
  sha_ni: 'sha-ni',
  sha: 'sha-ni',
  tsc_adjust: 'tsc-adjust',
  tsc_deadline: 'tsc-deadline',
  'lahf-lm': 'lahf_lm',
};

/** Every processor here has these; they cannot be taken away. */
export const BASE_FEATURES = [
  'fpu',
  'de',
  'pse',
  'tsc',
  'msr',
  'pae',
  'mce',
  'cx8',
  'apic',
  'sep',
  'mtrr',
  'pge',
  'mca',
  'cmov',
  'pat',
  'pse36',
  'clflush',
  'mmx',
  'fxsr',
  'sse',
  'sse2',
  'cx16',
  'x2apic',
  'tsc-deadline',
  'tsc-adjust',
  'smep',
  'smap',
  'umip',
  'serialize',
  'lahf_lm',
  'syscall',
  'nx',
  'rdtscp',
  'lm',
] as const satisfies readonly CpuFeature[];
