import type { CpuFeature, SEVERAL_PROCESSORS } from '../model/features.ts';
import type { Semantic, Size } from './semantics.ts';

/** Opcode maps: one byte, 0F, 0F 38, 0F 3A; the last three under VEX. */
export type OpcodeMap = '1' | '0f' | '0f38' | '0f3a' | 'vex0f' | 'vex0f38' | 'vex0f3a';

/**
 * Operand codes after the SDM (vol. 2 appendix A): E general register or memory by ModRM.rm, G general register by ModRM.reg, Z register in the
 * opcode's low bits, M memory only, R register only (rm), I immediate, J relative offset, O memory offset, V XMM by reg, W XMM or memory by rm, U XMM only
 * (rm), H XMM by VEX.vvvv, B general register by VEX.vvvv, P MMX by reg, Q MMX or memory by rm, N MMX only (rm); sizes b w d q, v operand size, z operand size but at most 4, y 4 or 8, dq 16, qq 32, bs immediate byte
 * sign-extended. AL, rAX, CL, DX, 1 are fixed. 'M' alone has no size.
 */
export type OperandCode = string;

export interface RowOptions {
  /** ModRM.reg of an opcode group. */
  readonly group?: number;
  /** Whole ModRM byte (0F 01 C8 and its like). */
  readonly modRm?: number;
  /** Mandatory prefix: 0 = none of 66 F3 F2; undefined: prefixes have their usual meaning. */
  readonly prefix?: 0 | 0x66 | 0xf3 | 0xf2;
  /** LOCK is allowed with a memory destination. */
  readonly lock?: boolean;
  readonly only64?: boolean;
  readonly no64?: boolean;
  /** Operand size is 8 in 64-bit mode without REX.W (push, pop, near branches); 66 still gives 2. */
  readonly default64?: boolean;
  /** Operand size is 8 in 64-bit mode always. */
  readonly force64?: boolean;
  /** Operand sizes that exist (default: 2, 4, 8 for v/z rows, else 1). */
  readonly sizes?: readonly Size[];
  /** Uses the stack: built twice, for 64-bit and for segmented stacks. */
  readonly stack?: boolean;
  /** Ends a block (jumps do so by their operand). */
  readonly ends?: boolean;
  /** 'reg' or 'mem' when ModRM must be one of them; otherwise #UD. */
  readonly only?: 'reg' | 'mem';
  /** REP forms: the row handles F3/F2 itself; built three times. */
  readonly repeat?: 'rep' | 'repne';
  /** Needs the decoded operands at run time (system and x87 handlers). */
  readonly decoded?: boolean;
  /** Changes what a region rests on (privilege, TLBs): only the interpreter runs it. */
  readonly leavesRegions?: boolean;
  /** Always goes elsewhere, where it ends a block (jumps by a relative operand do so by it). */
  readonly jumps?: boolean;
  /** Takes precedence over other rows of the opcode when REX.B is not set (90: NOP, not XCHG). */
  readonly withoutRexB?: boolean;
  /** Has a ModRM byte although no operand says so. */
  readonly hasModRm?: boolean;
  /** Needs CPUID feature, or several processors. */
  readonly feature?: CpuFeature | typeof SEVERAL_PROCESSORS;
  /** VEX.L and VEX.W where they choose the instruction. */
  readonly vexL?: 0 | 1;
  readonly vexW?: 0 | 1;
}

export interface InstructionRow {
  readonly map: OpcodeMap;
  readonly opcode: number;
  readonly mnemonic: string;
  readonly operands: readonly OperandCode[];
  readonly options: RowOptions;
  readonly semantic: Semantic;
}

/** A row of the instruction table. */
export function row(
  map: OpcodeMap,
  opcode: number,
  mnemonic: string,
  operands: readonly OperandCode[],
  semantic: Semantic,
  options: RowOptions = {},
): InstructionRow {
  return { map, opcode, mnemonic, operands, options, semantic };
}

/** The semantic of every instruction that lives in TypeScript. */
export const SYSTEM: Semantic = (c) => c.system();

/** An instruction that lives in TypeScript: the handler is found by mnemonic in SYSTEM_HANDLERS. */
export function systemRow(
  map: OpcodeMap,
  opcode: number,
  mnemonic: string,
  operands: readonly OperandCode[],
  options: RowOptions = {},
): InstructionRow {
  return row(map, opcode, mnemonic, operands, SYSTEM, { ends: true, decoded: true, ...options });
}

/** Options of a row in generated code that changes privilege and goes elsewhere. */
export const TRANSFER = { ends: true, decoded: true, leavesRegions: true, jumps: true } as const satisfies RowOptions;

const FIXED = new Set(['AL', 'AX', 'rAX', 'CL', 'DX', '1']);
const OPERAND = /^([EGZMRIJOVWUPQNSCDAHBL])(b|bs|w|d|q|v|z|y|dq|qq|p)?$/;

const PARSED = new Map<OperandCode, { readonly kind: string; readonly width: string }>();

/** Kind letter and size letters of an operand code; fixed operands have kind 'fixed'. */
export function parseOperand(code: OperandCode): { readonly kind: string; readonly width: string } {
  let parsed = PARSED.get(code);
  if (parsed === undefined) {
    parsed = parse(code);
    PARSED.set(code, parsed);
  }
  return parsed;
}

function parse(code: OperandCode): { kind: string; width: string } {
  if (FIXED.has(code)) return { kind: 'fixed', width: code };
  const match = OPERAND.exec(code);
  if (match === null) throw new Error(`unknown operand code ${code}`);
  return { kind: match[1], width: match[2] ?? '' };
}

/** Bytes of an operand, given the operand size. */
export function operandBytes(code: OperandCode, size: Size): Size {
  switch (code) {
    case 'AL':
    case 'CL':
    case '1':
      return 1;
    case 'AX':
    case 'DX':
      return 2;
    case 'rAX':
      return size;
  }
  switch (parseOperand(code).width) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
      return 4;
    case 'q':
      return 8;
    case 'y':
      return size === 8 ? 8 : 4;
    default:
      return size;
  }
}

/** Bytes of a memory operand: vectors have 16 or 32. */
export function memoryBytes(code: OperandCode, size: Size): number {
  const { width } = parseOperand(code);
  return width === 'dq' ? 16 : width === 'qq' ? 32 : operandBytes(code, size);
}

/** True when the operand needs a ModRM byte. */
export function usesModRm(code: OperandCode): boolean {
  return 'EGMRVWUPQNSCD'.includes(parseOperand(code).kind);
}
