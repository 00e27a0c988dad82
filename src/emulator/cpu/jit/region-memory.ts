import type { I32, I64 } from '../isa/semantics.ts';
import { call, i32 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import type { AddressForm } from './address-forms.ts';

const PAGE = 0x1000;
/** How many of a block's accesses are remembered. */
const MAXIMUM_WINDOWS = 8;

/** An earlier access of the block: where its bytes stand. */
interface Window {
  readonly root: number;
  readonly offset: number;
  readonly byteLength: number;
  readonly host: I32;
  /** Offset of the first byte in its page. */
  readonly inPage: I32;
  readonly isWritable: boolean;
}

/** Out-of-line functions of the module, (uop, linear, bytes) → host address or 0: with and without a look into the TLB. */
export interface AccessFunctions {
  readonly probe: number;
  readonly miss: number;
}

/** What one access asks. */
export interface AccessRequest {
  readonly uop: I32;
  readonly linear: I64;
  readonly form: AddressForm | undefined;
  readonly byteLength: number;
  readonly isWrite: boolean;
  /** What is learnt does not hold behind the instruction. */
  readonly isConditional: boolean;
  readonly functions: AccessFunctions;
  /** The TLB's test and its entry's address. */
  readonly probe: () => { entry: I32; hit: I32 };
  /** Leaves the instruction when `condition`: a fault or a bail is recorded. */
  readonly leaveIf: (condition: I32) => void;
}

/** Memory accesses of one block: an access near an earlier one off the same register needs no TLB, only a look whether it is in the same page. */
export class RegionMemory {
  #windows: Window[] = [];

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
    return window === undefined ? this.#first(b, request) : this.#near(b, request, window);
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
  #first(b: FunctionBuilder, request: AccessRequest): I32 {
    const { uop, linear, byteLength, functions } = request;
    const host = b.local('i32');
    const { entry, hit } = request.probe();
    b.plainIf(
      hit,
      () => b.set(host, i32.add(i32.wrap(linear), i32.load(entry, 8))),
      () => {
        b.set(host, call('i32', functions.miss, [uop, linear, i32.const(byteLength)]));
        request.leaveIf(i32.eqz(host));
      },
      'likely',
    );
    this.#remember(b, request, host, () => i32.wrap(linear));
    return host;
  }

  /** The TLB is asked only when the bytes are not in the earlier access's page. */
  #near(b: FunctionBuilder, request: AccessRequest, window: Window): I32 {
    const { uop, linear, form, byteLength, functions } = request;
    const distance = form!.offset - window.offset;
    const near = i32.add(window.host, i32.const(distance));
    if (holds(window, form!.offset, byteLength)) return near;
    const host = b.local('i32');
    const start = i32.add(window.inPage, i32.const(distance));
    b.plainIf(
      i32.leU(start, i32.const(PAGE - byteLength)),
      () => b.set(host, near),
      () => {
        b.set(host, call('i32', functions.probe, [uop, linear, i32.const(byteLength)]));
        request.leaveIf(i32.eqz(host));
      },
      'likely',
    );
    this.#remember(b, request, host, () => start);
    return host;
  }

  #remember(b: FunctionBuilder, request: AccessRequest, host: I32, inPage: () => I32): void {
    const { form, byteLength, isWrite, isConditional } = request;
    if (form === undefined || isConditional) return;
    const bound = b.let(i32.and(inPage(), i32.const(PAGE - 1)));
    this.#windows.unshift({ ...form, byteLength, host, inPage: bound, isWritable: isWrite });
    this.#windows.length = Math.min(this.#windows.length, MAXIMUM_WINDOWS);
  }
}

function holds(window: Window, offset: number, byteLength: number): boolean {
  return offset >= window.offset && offset + byteLength <= window.offset + window.byteLength;
}
