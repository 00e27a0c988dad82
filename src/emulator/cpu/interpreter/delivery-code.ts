import { CR4_BITS } from '../control-bits.ts';
import { isCanonical } from '../isa/canonical.ts';
import { statusFlags } from '../isa/flags.ts';
import {
  isCodeFlat,
  isCodeOf,
  isFlat32,
  type StateAccess,
  setFlatSegment,
  setMmu,
  setNullStack,
  setPrivilege,
} from '../isa/privilege.ts';
import type { I32, I64 } from '../isa/semantics.ts';
import { MMU } from '../mmu/page-walk.ts';
import { FLAT_SEGMENT, flatAttributes, flatDescriptor } from '../segmentation/flat.ts';
import {
  CPL,
  CR4,
  FLAGS_AUX,
  FLAGS_RESULT,
  FLAGS_SYSTEM,
  GDTR_BASE,
  GDTR_LIMIT,
  GPR,
  IDTR_BASE,
  IDTR_LIMIT,
  MMU_INDEX,
  REGISTER,
  RFLAGS,
  RIP,
  SEGMENT,
  SEGMENT_INDEX,
  SEGMENTS,
  TLB_READ,
  TLB_WRITE,
} from '../state.ts';
import { call, i32, i64, localGet, select } from '../wasm/expr.ts';
import { FunctionBuilder, type Label } from '../wasm/function-builder.ts';
import { probeTlb } from './tlb-probe.ts';

/** (vector, error code or −1, DELIVERY bits, return address low, high) → 1: delivered, RIP is the handler's entry; 0: nothing has changed. */
export const DELIVER_SIGNATURE = { parameters: ['i32', 'i32', 'i32', 'i32', 'i32'], results: ['i32'] } as const;
/** What the third parameter says: the gate's DPL counts (INT n); RF is set in the flags that are pushed (faults). */
export const DELIVERY = { SOFTWARE: 1, RESUMES: RFLAGS.RF } as const;

const [VECTOR, ERROR_CODE, OPTIONS, RETURN_LOW, RETURN_HIGH] = DELIVER_SIGNATURE.parameters.map((type, index) =>
  localGet(type, index),
);

const segmentField = (segment: number, field: number): number => SEGMENTS + segment * SEGMENT.BYTE_LENGTH + field;
const SS_SELECTOR = segmentField(SEGMENT_INDEX.SS, SEGMENT.SELECTOR);
const CS_SELECTOR = segmentField(SEGMENT_INDEX.CS, SEGMENT.SELECTOR);
const RSP = GPR + REGISTER.RSP * 8;
/** Of a gate, in its first 8 bytes: a present interrupt or trap gate of 32-bit (in long mode 64-bit) code. */
const GATE = { BITS: 0x9e00n << 32n, VALUE: 0x8e00n << 32n, TRAP_SHIFT: 40, DPL_SHIFT: 45, STACK_SHIFT: 32 } as const;
const SELECTOR = { TABLE: 4, OFFSET: 0xfff8 } as const;
/** Where a TSS keeps the stack of level 0 (16-bit selector behind the 32-bit pointer), and IST1 less 8 bytes. */
const TSS = { STACK_0: 4, STACKS: 0x1c } as const;
const TSS_32 = 8;

/** Walks that answer 0 where TypeScript's delivery is to act: (0, linear low, high, bytes) → host address. */
export interface DeliveryWalks {
  readonly read: number;
  readonly write: number;
}

/**
 * Interrupts and exceptions in their usual shape, without TypeScript: an interrupt or trap gate to flat code at level 0, from flat code of the
 * same size at level 0 or 3, to a stack in one page of plain memory. All else, what faults included, is exceptions/'s, which has it in full:
 * nothing has changed then but accessed bits.
 */
export function deliveryFunction(walks: DeliveryWalks): FunctionBuilder {
  const b = new FunctionBuilder(DELIVER_SIGNATURE.parameters.length);
  new Delivery(b, walks).emit();
  return b;
}

/** What the code of a back end reaches through `Semantics`, straight in memory. */
function stateAccess(b: FunctionBuilder): StateAccess {
  return {
    let: (value) => b.let(value),
    stateI32: (offset) => i32.load(i32.const(offset)),
    stateI64: (offset) => i64.load(i32.const(offset)),
    setStateI32: (offset, value) => b.storeI32(i32.const(offset), value),
    setStateI64: (offset, value) => b.storeI64(i32.const(offset), value),
    flagsResult: () => i64.load(i32.const(FLAGS_RESULT)),
    flagsAux: () => i64.load(i32.const(FLAGS_AUX)),
    setRawFlags: (result, aux) => {
      b.storeI64(i32.const(FLAGS_RESULT), result);
      b.storeI64(i32.const(FLAGS_AUX), aux);
    },
  };
}

/** The function in the making. */
class Delivery {
  readonly #b: FunctionBuilder;
  readonly #walks: DeliveryWalks;
  readonly #c: StateAccess;
  /** To TypeScript. */
  #giveUp!: Label;
  readonly #isUser: I32;

  constructor(b: FunctionBuilder, walks: DeliveryWalks) {
    this.#b = b;
    this.#walks = walks;
    this.#c = stateAccess(b);
    this.#isUser = b.local('i32');
  }

  emit(): void {
    const b = this.#b;
    const c = this.#c;
    b.block((refused) => {
      const cpl = b.let(c.stateI32(CPL));
      b.set(this.#isUser, i32.eq(cpl, i32.const(3)));
      b.brIf(refused, i32.and(i32.ne(cpl, i32.const(0)), i32.eqz(this.#isUser)));
      b.brIf(refused, i32.and(c.stateI32(FLAGS_SYSTEM), i32.const(RFLAGS.TF | RFLAGS.VM)));
      b.brIf(refused, i32.eqz(isCodeFlat(c)));
      // Tables and stacks are the supervisor's, whom SMAP watches whatever AC says (SDM vol. 3 §4.6.1).
      const mmu = b.let(c.stateI32(MMU_INDEX));
      const smap = i32.and(c.stateI32(CR4), i32.const(CR4_BITS.SMAP));
      setMmu(c, select(smap, i32.const(MMU.SUPERVISOR), i32.const(MMU.SUPERVISOR_OVER_SMAP)));
      b.block((giveUp) => {
        this.#giveUp = giveUp;
        b.if(isCodeOf(c, 8), () => this.#deliverLong(mmu));
        b.if(isCodeOf(c, 4), () => this.#deliverProtected(mmu));
      });
      setMmu(c, mmu);
    });
    b.return(i32.const(0));
    b.unreachable();
  }

  #require(condition: I32): void {
    this.#b.brIf(this.#giveUp, i32.eqz(condition));
  }

  /** Host address of bytes in one page. */
  #host(linear: I64, byteLength: I32, isWrite: boolean): I32 {
    const b = this.#b;
    const host = b.local('i32');
    const bound = b.let(linear);
    const tlb = b.let(i32.load(i32.const(isWrite ? TLB_WRITE : TLB_READ)));
    const { entry, hit } = probeTlb(b, tlb, bound, i64.extendI32U(byteLength));
    b.plainIf(
      hit,
      () => b.set(host, i32.add(i32.wrap(bound), i32.load(entry, 8))),
      () => {
        const halves = [i32.wrap(bound), i32.wrap(i64.shrU(bound, i64.const(32)))];
        const walk = isWrite ? this.#walks.write : this.#walks.read;
        b.set(host, call('i32', walk, [i32.const(0), ...halves, byteLength]));
        b.brIf(this.#giveUp, i32.eqz(host));
      },
    );
    return host;
  }

  /** Host address of the vector's gate, and its first 8 bytes. */
  #gate(byteLength: number): { host: I32; gate: I64 } {
    const b = this.#b;
    const c = this.#c;
    const offset = b.let(i32.mul(VECTOR, i32.const(byteLength)));
    this.#require(i32.leU(i32.add(offset, i32.const(byteLength - 1)), c.stateI32(IDTR_LIMIT)));
    const host = this.#host(i64.add(c.stateI64(IDTR_BASE), i64.extendI32U(offset)), i32.const(byteLength), false);
    const gate = b.let(i64.load(host));
    this.#require(i64.eq(i64.and(gate, i64.const(GATE.BITS)), i64.const(GATE.VALUE)));
    const dpl = i32.and(i32.wrap(i64.shrU(gate, i64.const(GATE.DPL_SHIFT))), i32.const(3));
    const isClosed = i32.and(i32.and(OPTIONS, i32.const(DELIVERY.SOFTWARE)), i32.ltU(dpl, c.stateI32(CPL)));
    b.brIf(this.#giveUp, isClosed);
    return { host, gate };
  }

  /** Gives up unless `selector` names the one of FLAT_SEGMENT, DPL 0, in the GDT. Its offset there. */
  #requireFlat(selector: I32, segment: number): I32 {
    const b = this.#b;
    const c = this.#c;
    const offset = b.let(i32.and(selector, i32.const(SELECTOR.OFFSET)));
    this.#require(i32.and(i32.ne(offset, i32.const(0)), i32.eqz(i32.and(selector, i32.const(SELECTOR.TABLE)))));
    this.#require(i32.leU(i32.add(offset, i32.const(7)), c.stateI32(GDTR_LIMIT)));
    const host = this.#host(i64.add(c.stateI64(GDTR_BASE), i64.extendI32U(offset)), i32.const(8), false);
    this.#require(i64.eq(i64.load(host), i64.const(flatDescriptor(segment, 0))));
    return offset;
  }

  /** Host address of `byteLength` bytes of the TSS. */
  #taskState(offset: I32, byteLength: number): I32 {
    const b = this.#b;
    const c = this.#c;
    const bound = b.let(offset);
    const limit = c.stateI32(segmentField(SEGMENT_INDEX.TR, SEGMENT.LIMIT));
    this.#require(i32.leU(i32.add(bound, i32.const(byteLength - 1)), limit));
    const base = c.stateI64(segmentField(SEGMENT_INDEX.TR, SEGMENT.BASE));
    return this.#host(i64.add(base, i64.extendI32U(bound)), i32.const(byteLength), false);
  }

  #selectorOf(gate: I64): I32 {
    return this.#b.let(i32.and(i32.wrap(i64.shrU(gate, i64.const(16))), i32.const(0xffff)));
  }

  /** Low 32 bits of the handler's address. */
  #offsetOf(gate: I64): I64 {
    return i64.or(i64.and(gate, i64.const(0xffff)), i64.and(i64.shrU(gate, i64.const(32)), i64.const(0xffff_0000)));
  }

  /** RFLAGS as they are pushed, bound. */
  #flags(): I64 {
    const system = i32.or(this.#c.stateI32(FLAGS_SYSTEM), i32.and(OPTIONS, i32.const(DELIVERY.RESUMES)));
    return this.#b.let(i64.or(statusFlags(this.#c), i64.extendI32U(system)));
  }

  /** What every delivery clears; an interrupt gate clears IF too. */
  #clearFlags(gate: I64): void {
    const isTrap = i32.and(i32.wrap(i64.shrU(gate, i64.const(GATE.TRAP_SHIFT))), i32.const(1));
    const always = RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM;
    const kept = select(isTrap, i32.const(~always), i32.const(~(always | RFLAGS.IF)));
    this.#c.setStateI32(FLAGS_SYSTEM, i32.and(this.#c.stateI32(FLAGS_SYSTEM), kept));
  }

  /** Stores `values` upwards from `host`, `size` bytes each, after the error code if there is one. */
  #push(host: I32, size: 4 | 8, values: readonly I64[]): void {
    const b = this.#b;
    const at = b.local('i32');
    b.set(at, host);
    b.if(i32.geS(ERROR_CODE, i32.const(0)), () => {
      b.storeSized(size, at, i64.extendI32U(ERROR_CODE));
      b.set(at, i32.add(at, i32.const(size)));
    });
    for (const [index, value] of values.entries()) b.storeSized(size, at, value, index * size);
  }

  /** Bytes of a frame with `count` words, and one more for an error code. */
  #frameBytes(count: I32, size: 4 | 8): I32 {
    const words = i32.add(count, i32.geS(ERROR_CODE, i32.const(0)));
    return this.#b.let(i32.mul(words, i32.const(size)));
  }

  /** SDM vol. 3 §6.14. */
  #deliverLong(mmu: I32): void {
    const b = this.#b;
    const c = this.#c;
    const { host, gate } = this.#gate(16);
    const entry = b.let(i64.or(this.#offsetOf(gate), i64.shl(i64.load32u(host, 8), i64.const(32))));
    this.#require(isCanonical(c, entry));
    const selector = this.#requireFlat(this.#selectorOf(gate), FLAT_SEGMENT.CODE_64);
    const stack = b.let(i32.and(i32.wrap(i64.shrU(gate, i64.const(GATE.STACK_SHIFT))), i32.const(7)));
    const pointer = b.local('i64');
    b.set(pointer, c.stateI64(RSP));
    b.if(i32.or(stack, this.#isUser), () => {
      const ist = i32.add(i32.shl(stack, i32.const(3)), i32.const(TSS.STACKS));
      b.set(pointer, i64.load(this.#taskState(select(stack, ist, i32.const(TSS.STACK_0)), 8)));
    });
    const bytes = this.#frameBytes(i32.const(5), 8);
    const top = b.let(i64.sub(i64.and(pointer, i64.const(~0xf)), i64.extendI32U(bytes)));
    const frame = this.#host(top, bytes, true);
    const returnAddress = i64.or(i64.extendI32U(RETURN_LOW), i64.shl(i64.extendI32U(RETURN_HIGH), i64.const(32)));
    const [cs, ss] = [CS_SELECTOR, SS_SELECTOR].map((offset) => i64.extendI32U(c.stateI32(offset)));
    this.#push(frame, 8, [returnAddress, cs, this.#flags(), c.stateI64(RSP), ss]);
    c.setStateI64(RSP, top);
    c.setStateI64(RIP, entry);
    this.#clearFlags(gate);
    setFlatSegment(c, SEGMENT_INDEX.CS, selector, flatAttributes(FLAT_SEGMENT.CODE_64, 0));
    b.if(
      this.#isUser,
      () => {
        setNullStack(c);
        setPrivilege(c, 0, false);
      },
      () => setMmu(c, mmu),
    );
    b.return(i32.const(1));
  }

  /** SDM vol. 3 §6.12.1. */
  #deliverProtected(mmu: I32): void {
    const b = this.#b;
    const c = this.#c;
    this.#require(select(this.#isUser, isFlat32(c, 3), isFlat32(c, 0)));
    const { gate } = this.#gate(8);
    const selector = this.#requireFlat(this.#selectorOf(gate), FLAT_SEGMENT.CODE_32);
    const pointer = b.local('i64');
    const stackSelector = b.local('i32');
    b.set(pointer, c.stateI64(RSP));
    b.if(this.#isUser, () => {
      this.#require(i32.and(c.stateI32(segmentField(SEGMENT_INDEX.TR, SEGMENT.ATTRIBUTES)), i32.const(TSS_32)));
      const host = this.#taskState(i32.const(TSS.STACK_0), 6);
      b.set(pointer, i64.load32u(host));
      b.set(stackSelector, i32.load16u(host, 4));
      this.#require(i32.eqz(i32.and(stackSelector, i32.const(3))));
      this.#requireFlat(stackSelector, FLAT_SEGMENT.DATA);
    });
    const bytes = this.#frameBytes(select(this.#isUser, i32.const(5), i32.const(3)), 4);
    const top = b.let(i64.and(i64.sub(pointer, i64.extendI32U(bytes)), i64.const(0xffff_ffff)));
    const frame = this.#host(top, bytes, true);
    const cs = i64.extendI32U(c.stateI32(CS_SELECTOR));
    const inner = [i64.extendI32U(RETURN_LOW), cs, this.#flags()];
    b.if(
      this.#isUser,
      () => {
        this.#push(frame, 4, [...inner, c.stateI64(RSP), i64.extendI32U(c.stateI32(SS_SELECTOR))]);
        setFlatSegment(c, SEGMENT_INDEX.SS, stackSelector, flatAttributes(FLAT_SEGMENT.DATA, 0));
        setPrivilege(c, 0, true);
      },
      () => {
        this.#push(frame, 4, inner);
        setMmu(c, mmu);
      },
    );
    c.setStateI64(RSP, top);
    c.setStateI64(RIP, b.let(this.#offsetOf(gate)));
    this.#clearFlags(gate);
    setFlatSegment(c, SEGMENT_INDEX.CS, selector, flatAttributes(FLAT_SEGMENT.CODE_32, 0));
    b.return(i32.const(1));
  }
}
