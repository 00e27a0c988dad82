import { EXIT, NEXT, UOP } from '../interpreter/micro-op.ts';
import type { CurrentOperands } from '../interpreter/operands.ts';
import { DECODABLE_ROWS } from '../isa/table.ts';
import {
  CURRENT_UOP,
  EXIT_REASON,
  FLAGS_SYSTEM,
  HALTED,
  INTERRUPT_SHADOW,
  JUMP_RIP,
  NEXT_RIP,
  RFLAGS,
  RIP,
} from '../state.ts';
import { isNmiBlocked } from '../stored-registers.ts';
import { INSTRUCTION_HANDLERS } from '../system/instruction-handlers.ts';
import type { CpuContext, GuestFault, SystemHandler } from '../system-context.ts';
import type { CodeCache } from '../translation/code-cache.ts';
import type { Budget } from './budget.ts';
import type { CurrentCall } from './current-call.ts';
import type { FaultRecorder } from './fault-recorder.ts';
import { setRipOf } from './instruction-pointer.ts';
import type { ProcessorSet } from './processor-set.ts';

/** Rows whose handler is not there. */
const undefinedOpcode: SystemHandler = (cpu) => cpu.fault(6);

/** By row number. */
const HANDLERS: readonly SystemHandler[] = DECODABLE_ROWS.map(
  ({ row }) => INSTRUCTION_HANDLERS[row.mnemonic] ?? undefinedOpcode,
);

/** What generated code's calls reach. */
export interface CodeCallsPorts {
  readonly context: CpuContext;
  readonly operands: CurrentOperands;
  /** The one object that system code throws. */
  readonly fault: GuestFault;
  readonly codeCache: CodeCache;
  readonly processors: ProcessorSet;
  readonly faults: FaultRecorder;
  readonly budget: Budget;
  readonly call: CurrentCall;
}

/** What generated code calls: instructions that live in TypeScript, and the way to code that it does not know yet. */
export class CodeCalls {
  readonly #ports: CodeCallsPorts;

  constructor(ports: CodeCallsPorts) {
    this.#ports = ports;
  }

  /** Runs the TypeScript handler of the instruction at `uop`; returns what a handler does (NEXT). */
  system(uop: number): number {
    const { context, operands, codeCache, processors, call } = this.#ports;
    const { translations } = processors.current.caches;
    const { state } = context;
    const decoded = codeCache.decodedAt(uop);
    setRipOf(state, uop, RIP, 0);
    setRipOf(state, uop, NEXT_RIP, decoded.length);
    call.uop = uop;
    const handler = HANDLERS[decoded.entry.number];
    try {
      handler(context, operands.select(decoded));
    } catch (error) {
      const { fault, faults } = this.#ports;
      if (error !== fault) throw error;
      faults.record(fault.vector, fault.errorCode);
      call.uop = 0;
      translations.applyModes();
      return NEXT.LEAVE;
    }
    call.uop = 0;
    if (!decoded.entry.ends) {
      if (!translations.modesDirty) return uop + UOP.BYTE_LENGTH;
      this.#ports.budget.refund(state.bytes[uop + UOP.REMAINING] - 1);
    }
    state.setU32(RIP, state.u32(NEXT_RIP));
    state.setU32(RIP + 4, state.u32(NEXT_RIP + 4));
    translations.applyModes();
    state.setU32(EXIT_REASON, EXIT.CONTINUE);
    if (this.#mustLeave()) return NEXT.LEAVE;
    // By the jump cache: system calls and interrupts lead to the same few places again and again.
    state.setU32(JUMP_RIP, state.u32(RIP));
    state.setU32(JUMP_RIP + 4, state.u32(RIP + 4));
    return NEXT.JUMP;
  }

  #mustLeave(): boolean {
    const { context, budget, processors } = this.#ports;
    const { state, bus } = context;
    const { events } = processors.current;
    if (state.u32(HALTED) !== 0 || state.u32(INTERRUPT_SHADOW) !== 0 || budget.exitRequested) return true;
    const flags = state.u32(FLAGS_SYSTEM);
    if ((flags & RFLAGS.TF) !== 0) return true;
    // IRET may have let in an NMI that waited, whatever IF says.
    if (events.nmi && !isNmiBlocked(state)) return true;
    return (flags & RFLAGS.IF) !== 0 && bus.interruptPending();
  }

  /** Finds the block at a near branch's target, and links it when it stands in the same page. */
  link(uop: number, which: number): number {
    const { context, codeCache, processors } = this.#ports;
    const { state } = context;
    const { lookup } = processors.current.caches;
    const { view } = state;
    const next = view.getInt32(uop + UOP.DISPLACEMENT, true);
    const relative = which === 0 ? view.getInt32(uop + UOP.IMMEDIATE, true) : 0;
    const offset = next + relative;
    setRipOf(state, uop, RIP, offset - view.getUint16(uop + UOP.PAGE_OFFSET, true));
    const { flushes } = codeCache;
    const target = lookup.block(state.u32(RIP), state.u32(RIP + 4));
    if (target === 0) {
      state.setU32(CURRENT_UOP, 0);
      return 0;
    }
    const isStable = codeCache.flushes === flushes && lookup.isLinkable;
    if (isStable) view.setUint32(uop + (which === 0 ? UOP.TARGET : UOP.FALL_THROUGH), target, true);
    return target;
  }

  /** JUMP_RIP → micro-op. */
  lookupJump(): number {
    const { context, processors } = this.#ports;
    const { state } = context;
    const low = state.u32(JUMP_RIP);
    const high = state.u32(JUMP_RIP + 4);
    state.setU32(RIP, low);
    state.setU32(RIP + 4, high);
    const target = processors.current.caches.lookup.block(low, high);
    if (target === 0) state.setU32(CURRENT_UOP, 0);
    return target;
  }
}
