import {
  CODE_BASE,
  type CpuVector,
  type CpuVectorState,
  DEFAULT_FPU,
  DEFAULT_GPR,
  DEFAULT_RFLAGS,
  DEFAULT_RIP,
  type FpuState,
  type MemoryWindow,
} from './vector.ts';

/*
 * The fixtures' text. A form's line, then a line for each case; numbers are hexadecimal:
 *
 *   [f7 d8] 64 "NEG r/m32" ?10
 *    rax=5 f=203 m10004010=0011 => rax=fffffffb f=297 m10004012=ff
 *    … => #14 e=6 cr2=10006000
 *
 * `?` is the mask of undefined flags. Left of `=>` stands what differs from the defaults in vector.ts, right of it what the instruction
 * changed. `rip` is left out after the arrow when it is the end of the instruction, or the start for a fault.
 */

export const GPR_NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'].concat(
  Array.from({ length: 8 }, (_, index) => `r${index + 8}`),
);

const hexBytes = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Vectors as text; cases of one form that follow each other share its line. */
export function formatVectors(vectors: readonly CpuVector[]): string {
  const lines: string[] = [];
  let heading = '';
  for (const vector of vectors) {
    const bytes = Array.from(vector.bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const undefinedFlags = vector.undefinedFlags === 0 ? '' : ` ?${vector.undefinedFlags.toString(16)}`;
    const own = `[${bytes}] ${vector.mode} "${vector.name}"${undefinedFlags}`;
    if (own !== heading) lines.push(own);
    heading = own;
    lines.push(formatCase(vector));
  }
  return `${lines.join('\n')}\n`;
}

function formatCase(vector: CpuVector): string {
  const { before, after } = vector;
  const left = stateFields(before, DEFAULT_STATE);
  if (before.rip !== defaultRip(vector.mode)) left.push(`rip=${before.rip.toString(16)}`);
  if (before.fpu) left.push(before.fpu.ymm === undefined ? 'fx' : 'fy');
  const right = after.fault ? [`#${after.fault.vector}`] : [];
  if (after.fault && after.fault.errorCode !== 0) right.push(`e=${after.fault.errorCode.toString(16)}`);
  if (after.fault?.vector === 14) right.push(`cr2=${after.fault.cr2.toString(16)}`);
  right.push(...stateFields(after, before));
  if (after.rip !== expectedRip(vector, after.fault !== undefined)) right.push(`rip=${after.rip.toString(16)}`);
  return ` ${[...left, '=>', ...right].join(' ')}`;
}

const DEFAULT_STATE = {
  gpr: DEFAULT_GPR,
  rflags: DEFAULT_RFLAGS,
  rip: BigInt(DEFAULT_RIP),
  memory: [],
} satisfies CpuVectorState;

function defaultRip(mode: number): bigint {
  return BigInt(mode === 16 ? DEFAULT_RIP - CODE_BASE : DEFAULT_RIP);
}

function expectedRip(vector: { before: CpuVectorState; bytes: Uint8Array }, fault: boolean): bigint {
  return fault ? vector.before.rip : vector.before.rip + BigInt(vector.bytes.length);
}

function stateFields(state: CpuVectorState, reference: CpuVectorState): string[] {
  const fields: string[] = [];
  state.gpr.forEach((value, index) => {
    if (value !== reference.gpr[index]) fields.push(`${GPR_NAMES[index]}=${value.toString(16)}`);
  });
  if (state.rflags !== reference.rflags) fields.push(`f=${state.rflags.toString(16)}`);
  for (const window of state.memory) fields.push(`m${window.address.toString(16)}=${hexBytes(window.bytes)}`);
  if (state.fpu) fields.push(...fpuFields(state.fpu, reference.fpu ?? DEFAULT_FPU));
  return fields;
}

const FPU_WORDS = {
  fcw: 'controlWord',
  fsw: 'statusWord',
  ftw: 'validMask',
  mxcsr: 'mxcsr',
} as const;

function fpuFields(fpu: FpuState, reference: FpuState): string[] {
  const fields: string[] = [];
  for (const [name, key] of Object.entries(FPU_WORDS)) {
    if (fpu[key] !== reference[key]) fields.push(`${name}=${fpu[key].toString(16)}`);
  }
  for (const bank of ['st', 'xmm', 'ymm'] as const) {
    fpu[bank]?.forEach((value, index) => {
      if (value !== (reference[bank]?.[index] ?? 0n)) fields.push(`${bank}${index}=${value.toString(16)}`);
    });
  }
  return fields;
}

/** The inverse of formatVectors. Throws an Error that names the line on malformed text. */
export function* parseVectors(text: string): Generator<CpuVector> {
  let form: { bytes: Uint8Array; mode: 16 | 32 | 64; name: string; undefinedFlags: number } | undefined;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      const match = /^\[([0-9a-f ]+)\] (16|32|64) "([^"]*)"(?: \?([0-9a-f]+))?$/.exec(line);
      if (!match) throw new Error(`not a form: ${line}`);
      form = {
        bytes: Uint8Array.from(match[1]!.split(' '), (byte) => Number.parseInt(byte, 16)),
        mode: Number(match[2]) as 16 | 32 | 64,
        name: match[3]!,
        undefinedFlags: match[4] ? Number.parseInt(match[4], 16) : 0,
      };
      continue;
    }
    if (!form) throw new Error(`a case without a form: ${line}`);
    yield { ...form, ...parseCase(line, form) };
  }
}

function parseCase(line: string, form: { bytes: Uint8Array; mode: number }): Pick<CpuVector, 'before' | 'after'> {
  const fields = line.trim().split(' ');
  const arrow = fields.indexOf('=>');
  if (arrow < 0) throw new Error(`a case without =>: ${line}`);
  const before = parseState(fields.slice(0, arrow), { ...DEFAULT_STATE, rip: defaultRip(form.mode) });
  const right = fields.slice(arrow + 1);
  const fault = right[0]?.startsWith('#')
    ? {
        vector: Number(right[0].slice(1)),
        errorCode: hexField(right, 'e'),
        cr2: BigInt(`0x${textField(right, 'cr2')}`),
      }
    : undefined;
  const reference = { ...before, memory: [], rip: expectedRip({ before, bytes: form.bytes }, fault !== undefined) };
  const after = parseState(right, reference);
  return { before, after: fault ? { ...after, fault } : after };
}

const textField = (fields: readonly string[], name: string): string =>
  fields.find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1) ?? '0';
const hexField = (fields: readonly string[], name: string): number => Number.parseInt(textField(fields, name), 16);

function parseState(fields: readonly string[], reference: CpuVectorState): CpuVectorState {
  const gpr = [...reference.gpr];
  const memory: MemoryWindow[] = [];
  let { rflags, rip, fpu } = reference;
  const ownFpu = () => {
    fpu = fpu && fpu !== reference.fpu ? fpu : copyFpu(reference.fpu ?? DEFAULT_FPU);
    return fpu as { -readonly [K in keyof FpuState]-?: FpuState[K] extends number ? number : bigint[] };
  };
  const upperHalves = () => {
    const own = ownFpu();
    own.ymm ??= DEFAULT_FPU.xmm.map(() => 0n);
    return own.ymm;
  };
  for (const field of fields) {
    if (field === 'fx' || field === 'fy') {
      if (field === 'fy') upperHalves();
      else ownFpu();
      continue;
    }
    const equals = field.indexOf('=');
    if (equals < 0) continue;
    const name = field.slice(0, equals);
    const value = field.slice(equals + 1);
    const index = GPR_NAMES.indexOf(name);
    if (index >= 0) gpr[index] = BigInt(`0x${value}`);
    else if (name === 'f') rflags = Number.parseInt(value, 16);
    else if (name === 'rip') rip = BigInt(`0x${value}`);
    else if (name in FPU_WORDS) ownFpu()[FPU_WORDS[name as keyof typeof FPU_WORDS]] = Number.parseInt(value, 16);
    else if (name.startsWith('st')) ownFpu().st[Number(name.slice(2))] = BigInt(`0x${value}`);
    else if (name.startsWith('ymm')) upperHalves()[Number(name.slice(3))] = BigInt(`0x${value}`);
    else if (name.startsWith('xmm')) ownFpu().xmm[Number(name.slice(3))] = BigInt(`0x${value}`);
    else if (/^m1/.test(name)) {
      memory.push({ address: Number.parseInt(name.slice(1), 16), bytes: Uint8Array.from(Buffer.from(value, 'hex')) });
    }
  }
  return { gpr, rflags, rip, memory, ...(fpu ? { fpu } : {}) };
}

function copyFpu(fpu: FpuState): FpuState {
  return { ...fpu, st: [...fpu.st], xmm: [...fpu.xmm], ...(fpu.ymm ? { ymm: [...fpu.ymm] } : {}) };
}
