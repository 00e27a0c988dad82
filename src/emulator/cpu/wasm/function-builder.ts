import { ByteBuffer } from './byte-buffer.ts';
import { type Expr, localGet, splitAddress } from './expr.ts';
import { VALUE_TYPE_CODES, type ValueType } from './types.ts';

/** A branch target inside the function being built: blocks, loops and ifs nest. */
export interface Label {
  readonly depth: number;
}

/** How likely a condition is true (the branch-hinting proposal). */
export type BranchHint = 'likely' | 'unlikely';

/** A hint at a byte of a function's body, its locals included. */
export interface PlacedHint {
  readonly offset: number;
  readonly hint: BranchHint;
}

/** A finished function: its entry in the code section, and the hints for its branches. */
export interface FunctionBody {
  readonly bytes: Uint8Array;
  readonly hints: readonly PlacedHint[];
}

/** What a function has besides its code: locals by type, and the end. */
const FRAME_BYTES = 256;

/** Builds one function body: statements are appended in order, expressions are trees. */
export class FunctionBuilder {
  code: ByteBuffer;
  #prologue: ByteBuffer | undefined;
  readonly #parameterCount: number;
  readonly #localTypes: ValueType[] = [];
  /** Locals given back by `release`, by type, for reuse. */
  readonly #free: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  readonly #permanent = new Set<number>();
  #depth = 0;
  /** Code to be emitted at the end into the middle: what it consists of is known only then. */
  readonly #late: { readonly at: number; readonly emit: () => void }[] = [];
  readonly #hints: PlacedHint[] = [];

  /** `capacity`: bytes of code that there is room for without growing. */
  constructor(parameterCount: number, capacity?: number) {
    this.#parameterCount = parameterCount;
    this.code = new ByteBuffer(capacity);
  }

  /** A fresh local (value undefined until set). */
  local<T extends ValueType>(type: T): Expr<T> {
    const reused = this.#free[type].pop();
    if (reused !== undefined) return localGet(type, reused);
    this.#localTypes.push(type);
    return localGet(type, this.#parameterCount + this.#localTypes.length - 1);
  }

  /** A local that no scope gives away. */
  permanentLocal<T extends ValueType>(type: T): Expr<T> {
    this.#localTypes.push(type);
    const index = this.#parameterCount + this.#localTypes.length - 1;
    this.#permanent.add(index);
    return localGet(type, index);
  }

  /** How deep the builder is in blocks, loops and ifs. */
  get depth(): number {
    return this.#depth;
  }

  /** Emits `body` in front of everything that was emitted so far. */
  prologue(body: () => void): void {
    const main = this.code;
    this.code = new ByteBuffer();
    body();
    this.#prologue = this.code;
    this.code = main;
  }

  /** What `emit` emits when the function is finished will stand here. */
  late(emit: () => void): void {
    this.#late.push({ at: this.code.length, emit });
  }

  /** Runs `body`; the locals it took may be reused afterwards. */
  scope(body: () => void): void {
    const first = this.#parameterCount + this.#localTypes.length;
    const free = this.#free;
    const [i32, i64, f32, f64, v128] = [free.i32, free.i64, free.f32, free.f64, free.v128].map((list) => list.slice());
    body();
    Object.assign(free, { i32, i64, f32, f64, v128 });
    for (let index = first; index < this.#parameterCount + this.#localTypes.length; index++) {
      if (!this.#permanent.has(index)) this.#free[this.#localTypes[index - this.#parameterCount]].push(index);
    }
  }

  /** Evaluates `value` once into a local. Constants and locals that nobody sets stay as they are. */
  let<T extends ValueType>(value: Expr<T>): Expr<T> {
    if (value.kind === 'const') return value;
    const target = this.local(value.type);
    this.set(target, value);
    return target;
  }

  set<T extends ValueType>(target: Expr<T>, value: Expr<T>): void {
    this.emit(value);
    this.code.u8(0x21);
    this.code.unsigned(target.immediate);
  }

  /** Store instruction by opcode: 0x36 i32, 0x37 i64, 0x38 f32, 0x39 f64, 0x3a/0x3b i32 as 8/16, 0x3c–0x3e i64 as 8/16/32, 0xfd0b v128. */
  store(opcode: number, address: Expr<'i32'>, value: Expr, offset = 0): void {
    let base = address;
    let displacement = offset;
    if (address.kind === 'const' && address.immediate >= 0) {
      base = { ...address, immediate: 0 };
      displacement += address.immediate;
    } else {
      const split = splitAddress(address);
      base = split.base;
      displacement += split.displacement;
    }
    this.emit(base);
    this.emit(value);
    this.#opcode(opcode);
    this.code.unsigned(0);
    this.code.unsigned(displacement);
  }

  storeI32(address: Expr<'i32'>, value: Expr<'i32'>, offset = 0): void {
    this.store(0x36, address, value, offset);
  }

  storeI64(address: Expr<'i32'>, value: Expr<'i64'>, offset = 0): void {
    this.store(0x37, address, value, offset);
  }

  storeF32(address: Expr<'i32'>, value: Expr<'f32'>, offset = 0): void {
    this.store(0x38, address, value, offset);
  }

  storeF64(address: Expr<'i32'>, value: Expr<'f64'>, offset = 0): void {
    this.store(0x39, address, value, offset);
  }

  storeV128(address: Expr<'i32'>, value: Expr<'v128'>, offset = 0): void {
    this.store(0xfd0b, address, value, offset);
  }

  /** The low `size` bytes of an i64. */
  storeSized(size: 1 | 2 | 4 | 8, address: Expr<'i32'>, value: Expr<'i64'>, offset = 0): void {
    const opcode = { 1: 0x3c, 2: 0x3d, 4: 0x3e, 8: 0x37 }[size];
    this.store(opcode, address, value, offset);
  }

  if(condition: Expr<'i32'>, whenTrue: () => void, whenFalse?: () => void): void {
    this.plainIf(condition, whenTrue, whenFalse);
  }

  /** `if` that no subclass watches. */
  plainIf(condition: Expr<'i32'>, whenTrue: () => void, whenFalse?: () => void, hint?: BranchHint): void {
    this.emit(condition);
    if (hint !== undefined) this.#hints.push({ offset: this.code.length, hint });
    this.code.u8(0x04);
    this.code.u8(0x40);
    this.#depth++;
    whenTrue();
    if (whenFalse !== undefined) {
      this.code.u8(0x05);
      whenFalse();
    }
    this.code.u8(0x0b);
    this.#depth--;
  }

  /** `block … end`: a branch to the label leaves it. */
  block(body: (label: Label) => void): void {
    this.#nest(0x02, body);
  }

  /** `loop … end`: a branch to the label starts it again. */
  loop(body: (label: Label) => void): void {
    this.#nest(0x03, body);
  }

  /** `loop` that no subclass watches. */
  plainLoop(body: (label: Label) => void): void {
    this.#nest(0x03, body);
  }

  br(label: Label): void {
    this.code.u8(0x0c);
    this.code.unsigned(this.#depth - label.depth);
  }

  brIf(label: Label, condition: Expr<'i32'>): void {
    this.emit(condition);
    this.code.u8(0x0d);
    this.code.unsigned(this.#depth - label.depth);
  }

  brTable(index: Expr<'i32'>, labels: readonly Label[], fallback: Label): void {
    this.emit(index);
    this.code.u8(0x0e);
    this.code.unsigned(labels.length);
    for (const label of labels) this.code.unsigned(this.#depth - label.depth);
    this.code.unsigned(this.#depth - fallback.depth);
  }

  return(value?: Expr): void {
    if (value !== undefined) this.emit(value);
    this.code.u8(0x0f);
  }

  /** Calls for the effect and drops a result. */
  callVoid(index: number, args: readonly Expr[], hasResult: boolean): void {
    for (const arg of args) this.emit(arg);
    this.code.u8(0x10);
    this.code.unsigned(index);
    if (hasResult) this.code.u8(0x1a);
  }

  /** table[element](…) with the signature `typeIndex`, table 0; the result goes to `target`. */
  callIndirect<T extends ValueType>(
    target: Expr<T>,
    typeIndex: number,
    element: Expr<'i32'>,
    args: readonly Expr[],
  ): void {
    for (const arg of args) this.emit(arg);
    this.emit(element);
    this.code.u8(0x11);
    this.code.unsigned(typeIndex);
    this.code.unsigned(0);
    this.code.u8(0x21);
    this.code.unsigned(target.immediate);
  }

  /** Leaves the function for function `index`. */
  returnCall(index: number, args: readonly Expr[]): void {
    for (const arg of args) this.emit(arg);
    this.code.u8(0x12);
    this.code.unsigned(index);
  }

  /** Leaves the function for table[element](…). */
  returnCallIndirect(typeIndex: number, element: Expr<'i32'>, args: readonly Expr[]): void {
    for (const arg of args) this.emit(arg);
    this.emit(element);
    this.code.u8(0x13);
    this.code.unsigned(typeIndex);
    this.code.unsigned(0);
  }

  memoryCopy(target: Expr<'i32'>, source: Expr<'i32'>, byteLength: Expr<'i32'>): void {
    this.emit(target);
    this.emit(source);
    this.emit(byteLength);
    for (const byte of [0xfc, 0x0a, 0, 0]) this.code.u8(byte);
  }

  memoryFill(target: Expr<'i32'>, value: Expr<'i32'>, byteLength: Expr<'i32'>): void {
    this.emit(target);
    this.emit(value);
    this.emit(byteLength);
    for (const byte of [0xfc, 0x0b, 0]) this.code.u8(byte);
  }

  unreachable(): void {
    this.code.u8(0x00);
  }

  /** Leaves the value on the stack. */
  emit(expr: Expr): void {
    const { code } = this;
    switch (expr.kind) {
      case 'const':
        code.u8(expr.opcode);
        if (expr.wide !== undefined) code.signed64(expr.wide);
        else code.signed32(expr.immediate);
        return;
      case 'local':
        code.u8(0x20);
        code.unsigned(expr.immediate);
        return;
      case 'unary':
        this.emit(expr.a!);
        this.#opcode(expr.opcode);
        return;
      case 'binary':
        this.emit(expr.a!);
        this.emit(expr.b!);
        this.#opcode(expr.opcode);
        return;
      case 'load':
        this.emit(expr.a!);
        this.#opcode(expr.opcode);
        code.unsigned(0);
        code.unsigned(expr.immediate);
        return;
      case 'select':
        this.emit(expr.a!);
        this.emit(expr.b!);
        this.emit(expr.c!);
        if (expr.type === 'v128') {
          for (const byte of [0x1c, 1, VALUE_TYPE_CODES.v128]) code.u8(byte);
        } else code.u8(0x1b);
        return;
      case 'call':
        for (const arg of expr.args!) this.emit(arg);
        code.u8(0x10);
        code.unsigned(expr.immediate);
        return;
      case 'lane':
        this.emit(expr.a!);
        if (expr.b !== undefined) this.emit(expr.b);
        this.#opcode(expr.opcode);
        code.u8(expr.immediate);
        return;
      case 'shuffle':
        this.emit(expr.a!);
        this.emit(expr.b!);
        this.#opcode(expr.opcode);
        for (const lane of expr.bytes!) code.u8(lane);
        return;
      case 'v128const':
        this.#opcode(expr.opcode);
        for (const byte of expr.bytes!) code.u8(byte);
    }
  }

  /** The finished function. */
  finish(): FunctionBody {
    const main = this.code;
    const late = new ByteBuffer();
    this.code = late;
    const pieces = this.#late.map(({ at, emit }) => {
      const start = late.length;
      emit();
      return { at, start, end: late.length };
    });
    this.code = main;
    const body = new ByteBuffer(main.length + late.length + FRAME_BYTES);
    this.#declareLocals(body);
    if (this.#prologue !== undefined) body.append(this.#prologue.bytes);
    const hints: PlacedHint[] = [];
    let done = 0;
    let nextHint = 0;
    const copyUntil = (end: number): void => {
      for (; nextHint < this.#hints.length && this.#hints[nextHint].offset < end; nextHint++) {
        const { offset, hint } = this.#hints[nextHint];
        hints.push({ offset: body.length + offset - done, hint });
      }
      body.append(main.bytes.subarray(done, end));
      done = end;
    };
    for (const { at, start, end } of pieces) {
      copyUntil(at);
      body.append(late.bytes.subarray(start, end));
    }
    copyUntil(main.length);
    body.u8(0x0b);
    return { bytes: body.bytes, hints };
  }

  #declareLocals(body: ByteBuffer): void {
    const groups: [ValueType, number][] = [];
    for (const type of this.#localTypes) {
      const last = groups.at(-1);
      if (last !== undefined && last[0] === type) last[1]++;
      else groups.push([type, 1]);
    }
    body.unsigned(groups.length);
    for (const [type, count] of groups) {
      body.unsigned(count);
      body.u8(VALUE_TYPE_CODES[type]);
    }
  }

  #nest(opcode: number, body: (label: Label) => void): void {
    this.code.u8(opcode);
    this.code.u8(0x40);
    this.#depth++;
    body({ depth: this.#depth });
    this.code.u8(0x0b);
    this.#depth--;
  }

  #opcode(opcode: number): void {
    if (opcode <= 0xff) this.code.u8(opcode);
    else {
      this.code.u8(opcode >> 8 === 0xfc ? 0xfc : 0xfd);
      this.code.unsigned(opcode >> 8 === 0xfc ? opcode & 0xff : opcode - 0xfd00);
    }
  }
}
