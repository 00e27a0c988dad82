import type { CpuState } from '../cpu-state.ts';
import type { HandlerTable } from '../interpreter/handlers.ts';
import { EXIT, FORM, UOP } from '../interpreter/micro-op.ts';
import { CURRENT_UOP, EXIT_REASON, FAULT_ERROR_CODE, FAULT_VECTOR, SEGMENT_INDEX } from '../state.ts';
import { passesSegmentRules } from '../translation/derived-state.ts';
import type { CurrentCall } from './current-call.ts';

const VECTOR_SS = 12;
const VECTOR_GP = 13;

/** Notes a fault of the current instruction, for the loop to deliver once generated code has returned. */
export class FaultRecorder {
  readonly #state: CpuState;
  readonly #handlers: HandlerTable;
  readonly #call: CurrentCall;
  readonly #handlerOf: (uop: number) => number;

  /** `handlerOf`: what a micro-op was translated to, whatever stands in its place by now. */
  constructor(state: CpuState, handlers: HandlerTable, call: CurrentCall, handlerOf: (uop: number) => number) {
    this.#state = state;
    this.#handlers = handlers;
    this.#call = call;
    this.#handlerOf = handlerOf;
  }

  record(vector: number, errorCode: number): void {
    const state = this.#state;
    state.setU32(FAULT_VECTOR, vector);
    state.setU32(FAULT_ERROR_CODE, errorCode >>> 0);
    state.setU32(EXIT_REASON, EXIT.FAULT);
    state.setU32(CURRENT_UOP, this.#call.uop);
  }

  /** An address that is not canonical: #SS through the stack segment, else #GP. */
  recordNonCanonical(): void {
    this.record(faultOf(this.#segmentOf(this.#call.uop)), 0);
  }

  /** An access beyond the fast limits of its segment: 0 when the segment's own rules allow it, 1 after recording the fault. */
  checkLimit(segment: number, low: number, high: number, access: number): number {
    const offset = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    if (passesSegmentRules(this.#state, segment, offset, access & 0xff, (access & 0x100) !== 0)) return 0;
    this.record(faultOf(segment), 0);
    return 1;
  }

  #segmentOf(uop: number): number {
    const key = uop === 0 ? undefined : this.#handlers.keyOf(this.#handlerOf(uop));
    if (key === undefined) return SEGMENT_INDEX.DS;
    const pushes = key.entry.row.options.stack === true && (key.form === FORM.REGISTER || key.entry.relative);
    return pushes ? SEGMENT_INDEX.SS : this.#state.bytes[uop + UOP.SEGMENT];
  }
}

function faultOf(segment: number): number {
  return segment === SEGMENT_INDEX.SS ? VECTOR_SS : VECTOR_GP;
}
