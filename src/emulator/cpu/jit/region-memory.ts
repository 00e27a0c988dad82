import { PAGE_SLOTS, TLB_BYTES, TLB_ENTRY_BYTES } from '../interpreter/layout.ts';
import { probeTlb } from '../interpreter/tlb-probe.ts';
import type { I32, I64 } from '../isa/semantics.ts';
import { call, i32, i64 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import type { AddressForm } from './address-forms.ts';
import { ACCESS_LEAVES } from './region-runtime.ts';

const PAGE = 0x1000;
/** Bytes of the longest access that asks the TLB when it is not aligned: vectors seldom are. */
const LONGEST_ALIGNED = 8;
/** How many of a block's accesses are remembered. */
const MAXIMUM_WINDOWS = 8;
/** Where the page slots of an MMU index stand behind its reading TLB, and its writing TLB. */
const SLOTS = 2 * TLB_BYTES;
const WRITE_TLB = TLB_BYTES;

/** An earlier access of the block: where its bytes stand. */
interface Window {
  readonly root: number;
  readonly offset: number;
  readonly byteLength: number;
  /** Its low linear address. */
  readonly linear: I32;
  /** What that must be added to make a host address, in all of its page. */
  readonly addend: I32;
  readonly isWritable: boolean;
}

/** Out-of-line functions of the module (region-runtime.ts) → addend, or ACCESS_LEAVES. */
export interface AccessFunctions {
  /** (uop, linear, bytes): the TLB has not got it. */
  readonly miss: number;
  /** (uop, linear, bytes, slot): the page slot has not got it. */
  readonly fill: number;
}

/** What one access asks. */
export interface AccessRequest {
  readonly uop: I32;
  /** The micro-op that accesses; `uop` is the one to leave to. */
  readonly site: number;
  readonly linear: I64;
  readonly form: AddressForm | undefined;
  readonly byteLength: number;
  readonly isWrite: boolean;
  /** What is learnt does not hold behind the instruction. */
  readonly isConditional: boolean;
  /** Accesses of the same place in the code mostly lead to other pages: a pointer that memory held. */
  readonly isScattered: boolean;
  readonly functions: AccessFunctions;
  /** Leaves the instruction when `condition`: a fault or a bail is recorded. */
  readonly leaveIf: (condition: I32) => void;
}

/**
 * Memory accesses of one region. An access near an earlier one of its block off the same register needs only a look whether it is in the same page. Others
 * compare with a page slot of their own, or look into the TLB.
 */
export class RegionMemory {
  #windows: Window[] = [];
  /** Address of the TLBs and slots in use. */
  readonly #tlb: I32;
  /** Slots by what accesses have in common. */
  readonly #slots = new Map<string, number>();
  readonly #firstSlot: number;

  /** `firstSlot`: any number that tells regions apart, so that they seldom share slots. */
  constructor(tlb: I32, firstSlot: number) {
    this.#tlb = tlb;
    this.#firstSlot = firstSlot;
  }

  /** A new block: nothing is known. */
  reset(): void {
    this.#windows = [];
  }

  /** What is known here; the function makes it known again. */
  remember(): () => void {
    const windows = [...this.#windows];
    return () => {
      this.#windows = [...windows];
    };
  }

  /** Host address of the bytes that are asked for. */
  host(b: FunctionBuilder, request: AccessRequest): I32 {
    const window = this.#find(request);
    if (window !== undefined) return this.#near(b, request, window);
    const addend = request.isScattered ? this.#probed(b, request) : this.#slotted(b, request);
    this.#remember(b, request, i32.wrap(request.linear), addend);
    return i32.add(i32.wrap(request.linear), addend);
  }

  /** An access that holds all of the request's bytes, otherwise the latest one near it. */
  #find({ form, byteLength, isWrite }: AccessRequest): Window | undefined {
    if (form === undefined) return undefined;
    const usable = this.#windows.filter(
      ({ root, offset, isWritable }) =>
        root === form.root && (isWritable || !isWrite) && Math.abs(form.offset - offset) < PAGE,
    );
    return usable.find((window) => holds(window, form.offset, byteLength)) ?? usable[0];
  }

  /** The TLB decides. */
  #probed(b: FunctionBuilder, { uop, linear, byteLength, isWrite, functions, leaveIf }: AccessRequest): I32 {
    const addend = b.local('i32');
    const base = isWrite ? i32.add(this.#tlb, i32.const(WRITE_TLB)) : this.#tlb;
    const { entry, hit } = probeTlb(b, base, linear, i64.const(byteLength));
    b.plainIf(
      hit,
      () => b.set(addend, i32.load(entry, 8)),
      () => {
        b.set(addend, call('i32', functions.miss, [uop, linear, i32.const(byteLength)]));
        leaveIf(i32.eq(addend, i32.const(ACCESS_LEAVES)));
      },
      'likely',
    );
    return addend;
  }

  /** The page that this place found last, or the TLB. */
  #slotted(b: FunctionBuilder, request: AccessRequest): I32 {
    const { uop, linear, byteLength, functions, leaveIf } = request;
    const addend = b.local('i32');
    const slot = SLOTS + this.#slotOf(request) * TLB_ENTRY_BYTES;
    b.plainIf(
      isWithin(b, request, i64.load(this.#tlb, slot)),
      () => b.set(addend, i32.load(this.#tlb, slot + 8)),
      () => {
        const where = i32.add(this.#tlb, i32.const(slot));
        b.set(addend, call('i32', functions.fill, [uop, linear, i32.const(byteLength), where]));
        leaveIf(i32.eq(addend, i32.const(ACCESS_LEAVES)));
      },
      'likely',
    );
    return addend;
  }

  #slotOf({ site, form, isWrite }: AccessRequest): number {
    const what = form?.register === undefined ? `at ${site}` : `off ${form.register}`;
    const key = `${what} ${isWrite}`;
    let number = this.#slots.get(key);
    if (number === undefined) {
      number = this.#firstSlot + this.#slots.size;
      this.#slots.set(key, number);
    }
    return number & (PAGE_SLOTS - 1);
  }

  /** Other than the earlier access only when the bytes are not in its page. */
  #near(b: FunctionBuilder, request: AccessRequest, window: Window): I32 {
    const { uop, linear, form, byteLength, functions, leaveIf } = request;
    const distance = form!.offset - window.offset;
    const near = i32.add(window.linear, i32.const(distance));
    if (holds(window, form!.offset, byteLength))
      return i32.add(i32.add(window.linear, window.addend), i32.const(distance));
    const addend = b.local('i32');
    const low = b.let(near);
    const inPage = i32.add(i32.and(window.linear, i32.const(PAGE - 1)), i32.const(distance));
    b.set(addend, window.addend);
    b.plainIf(
      i32.gtU(inPage, i32.const(PAGE - byteLength)),
      () => {
        const slot = i32.add(this.#tlb, i32.const(SLOTS + this.#slotOf(request) * TLB_ENTRY_BYTES));
        b.set(addend, call('i32', functions.fill, [uop, linear, i32.const(byteLength), slot]));
        leaveIf(i32.eq(addend, i32.const(ACCESS_LEAVES)));
      },
      undefined,
      'unlikely',
    );
    this.#remember(b, request, low, addend);
    return i32.add(low, addend);
  }

  #remember(b: FunctionBuilder, request: AccessRequest, linear: I32, addend: I32): void {
    const { form, byteLength, isWrite, isConditional } = request;
    if (form === undefined || isConditional) return;
    this.#windows.unshift({ ...form, byteLength, linear: b.let(linear), addend, isWritable: isWrite });
    this.#windows.length = Math.min(this.#windows.length, MAXIMUM_WINDOWS);
  }
}

/**
 * All of an access lies in the page with this tag. A slot may hold the page in which an access only ends, so that its last byte alone does not tell.
 * Short accesses that are not aligned count as outside: asking is cheaper so, and the TLB knows better.
 */
function isWithin(b: FunctionBuilder, { linear, byteLength }: AccessRequest, tag: I64): I32 {
  const isPowerOfTwo = (byteLength & (byteLength - 1)) === 0;
  if (isPowerOfTwo && byteLength <= LONGEST_ALIGNED)
    return i64.eq(i64.and(linear, i64.const(-PAGE | (byteLength - 1))), tag);
  const page = b.let(tag);
  const last = i64.add(linear, i64.const(byteLength - 1));
  // Pages are compared with all of the tag: −1, which stands for none, is no page.
  const isAt = (address: I64): I32 => i64.eq(i64.and(address, i64.const(-PAGE)), page);
  return i32.and(isAt(linear), isAt(last));
}

function holds(window: Window, offset: number, byteLength: number): boolean {
  return offset >= window.offset && offset + byteLength <= window.offset + window.byteLength;
}
