import { parseOperand } from '../isa/row.ts';
import type { I32, I64, Size } from '../isa/semantics.ts';
import { type DecodableRow, operandBytes } from '../isa/table.ts';
import { BUDGET, CURRENT_UOP, DIRECTION, EXIT_REASON, FAULT_ERROR_CODE, FAULT_VECTOR, GPR } from '../state.ts';
import { call, type Expr, i32, i64 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import type { ValueType } from '../wasm/types.ts';
import type { HandlerExits, ImportIndexes } from './handler-exits.ts';
import { EXIT, type Form, isMemoryForm, UOP } from './micro-op.ts';

/** What every handler's emission begins with: the fields of the micro-op, registers, the state block, and ways out. */
export class MicroOpSemantics {
  readonly b: FunctionBuilder;
  readonly size: Size;
  protected readonly entry: DecodableRow;
  protected readonly form: Form;
  protected readonly uop: I32;
  protected readonly exits: HandlerExits;
  protected readonly imports: ImportIndexes;

  constructor(
    b: FunctionBuilder,
    entry: DecodableRow,
    size: Size,
    form: Form,
    uop: I32,
    exits: HandlerExits,
    imports: ImportIndexes,
  ) {
    this.b = b;
    this.size = size;
    this.entry = entry;
    this.form = form;
    this.uop = uop;
    this.exits = exits;
    this.imports = imports;
  }

  let<T extends ValueType>(value: Expr<T>): Expr<T> {
    return this.b.let(value);
  }

  sizeOf(index: number): Size {
    return operandBytes(this.entry.row.operands[index], this.size);
  }

  isMemory(index: number): boolean {
    const { kind } = parseOperand(this.entry.row.operands[index]);
    if (kind === 'O' || kind === 'M') return true;
    return 'EWQ'.includes(kind) && this.isMemoryForm();
  }

  protected isMemoryForm(): boolean {
    return isMemoryForm(this.form);
  }

  protected field8(offset: number): I64 {
    return i64.load8u(this.uop, offset);
  }

  protected field16(offset: number): I32 {
    return i32.load16u(this.uop, offset);
  }

  protected fieldS32(offset: number): I64 {
    return i64.load32s(this.uop, offset);
  }

  protected fieldU32(offset: number): I64 {
    return i64.load32u(this.uop, offset);
  }

  protected field64(offset: number): I64 {
    return i64.load(this.uop, offset);
  }

  /** Address of the register operand, from the micro-op. */
  protected registerField(kind: string): I32 {
    if (kind === 'H' || kind === 'B') return this.field16(UOP.VVVV);
    return this.field16('GVPSCD'.includes(kind) ? UOP.REG : UOP.RM);
  }

  protected loadRegister(address: I32, size: Size): I64 {
    return this.loadSized(size, address);
  }

  protected storeRegister(address: I32, size: Size, value: I64): void {
    // A 4-byte write clears the upper half.
    if (size === 4) this.b.storeI64(address, i64.and(value, i64.const(0xffff_ffff)));
    else this.b.storeSized(size, address, value);
  }

  protected loadSized(size: Size, address: I32, offset = 0): I64 {
    switch (size) {
      case 1:
        return i64.load8u(address, offset);
      case 2:
        return i64.load16u(address, offset);
      case 4:
        return i64.load32u(address, offset);
      default:
        return i64.load(address, offset);
    }
  }

  gpr(register: number, size: Size): I64 {
    return this.loadRegister(i32.const(GPR + register * 8), size);
  }

  setGpr(register: number, size: Size, value: I64): void {
    this.storeRegister(i32.const(GPR + register * 8), size, value);
  }

  fault(vector: number, errorCode: number): void {
    this.setStateI32(FAULT_VECTOR, i32.const(vector));
    this.setStateI32(FAULT_ERROR_CODE, i32.const(errorCode));
    this.setStateI32(EXIT_REASON, i32.const(EXIT.FAULT));
    this.setStateI32(CURRENT_UOP, this.uop);
    this.exits.leave();
  }

  system(): void {
    this.exits.follow(call('i32', this.imports.system, [this.uop]));
  }

  done(): void {
    this.exits.next();
  }

  helper(name: string, args: readonly I32[]): I32 {
    return call('i32', this.imports[name], args);
  }

  helperMayFault(name: string, args: readonly I32[]): void {
    this.setStateI32(CURRENT_UOP, this.uop);
    this.b.if(call('i32', this.imports[name], args), () => {
      this.setStateI32(EXIT_REASON, i32.const(EXIT.FAULT));
      this.exits.leave();
    });
  }

  budgetLeft(): I64 {
    return this.stateI64(BUDGET);
  }

  blockLeft(): I64 {
    return this.field8(UOP.REMAINING);
  }

  setDirection(step: 1 | -1): void {
    this.setStateI32(DIRECTION, i32.const(step));
  }

  stateI32(offset: number): I32 {
    return i32.load(i32.const(offset));
  }

  stateI64(offset: number): I64 {
    return i64.load(i32.const(offset));
  }

  setStateI32(offset: number, value: I32): void {
    this.b.storeI32(i32.const(offset), value);
  }

  setStateI64(offset: number, value: I64): void {
    this.b.storeI64(i32.const(offset), value);
  }
}
