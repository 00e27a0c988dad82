/** A byte array that grows: what encoders write to. */
export class ByteSink {
  /** Called at the place where a part of a tree begins. */
  mark(_part: object): void {}

  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  word(value: number): void {
    this.byte(value);
    this.byte(value >> 8);
  }

  dword(value: number): void {
    this.word(value);
    this.word(value >>> 16);
  }

  qword(value: bigint): void {
    this.dword(Number(BigInt.asUintN(32, value)));
    this.dword(Number(BigInt.asUintN(32, value >> 32n)));
  }

  bytes(values: ArrayLike<number>): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Moves everything from `offset` up and puts `values` there: a PkgLength is known only after its content. */
  insert(offset: number, values: Uint8Array): void {
    this.#reserve(values.length);
    this.#bytes.copyWithin(offset + values.length, offset, this.#length);
    this.#bytes.set(values, offset);
    this.#length += values.length;
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** A sink that knows where each part of a tree begins. */
export class TracingSink extends ByteSink {
  /** In the order of their bytes. */
  readonly marks: { readonly part: object; offset: number }[] = [];

  override mark(part: object): void {
    this.marks.push({ part, offset: this.length });
  }

  override insert(offset: number, values: Uint8Array): void {
    super.insert(offset, values);
    for (let index = this.marks.length - 1; index >= 0 && this.marks[index].offset >= offset; index--) {
      this.marks[index].offset += values.length;
    }
  }
}
