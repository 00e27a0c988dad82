/** Which instruction generated code has called TypeScript for. */
export class CurrentCall {
  /** Micro-op of that instruction, 0 between instructions. */
  uop = 0;

  /** `action` with its instruction, the first operand, noted while it runs: device code may ask for the time, which is exact there. */
  noting<A extends number[]>(action: (...rest: A) => number): (uop: number, ...rest: A) => number {
    return (uop, ...rest) => {
      this.uop = uop;
      const result = action(...rest);
      this.uop = 0;
      return result;
    };
  }
}
