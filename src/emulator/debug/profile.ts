import { hex } from '../../shared/bytes.ts';
import type { EnginePosition } from '../cpu/engine.ts';
import { type FlameStack, flameGraph } from './flame-graph.ts';
import type { TierTime } from './host-tiers.ts';
import type { SymbolTable } from './symbols.ts';

/** Functions that the text lists. */
const HOTTEST = 20;
/** Without a symbol, code is told apart by pages of 4 KiB. */
const PAGE_BITS = 12n;
const MILLION = 1e6;

/** Where a guest spends its instructions: positions taken every so many instructions of virtual time. */
export class GuestProfile {
  readonly #symbols: readonly SymbolTable[];
  readonly #stacks = new Map<string, { readonly frames: readonly string[]; value: number }>();
  #total = 0;
  #samples = 0;

  constructor(symbols: readonly SymbolTable[] = []) {
    this.#symbols = symbols;
  }

  /** The guest ran `instructions` up to `position`. */
  sample(position: EnginePosition, instructions: number): void {
    if (instructions <= 0) return;
    const frames = this.#framesOf(position);
    const key = frames.join('\0');
    const stack = this.#stacks.get(key);
    if (stack === undefined) this.#stacks.set(key, { frames, value: instructions });
    else stack.value += instructions;
    this.#total += instructions;
    this.#samples++;
  }

  get samples(): number {
    return this.#samples;
  }

  /** By instructions, most first. */
  stacks(): readonly FlameStack[] {
    return [...this.#stacks.values()].sort(
      (left, right) => right.value - left.value || (left.frames.join() < right.frames.join() ? -1 : 1),
    );
  }

  /** What a person reads: the rate, host time by tier, the hottest functions. `seconds` is host CPU time. */
  text(seconds: number, tiers: readonly TierTime[]): string {
    const measured = tiers.reduce((total, tier) => total + tier.seconds, 0);
    const rate = this.#total / MILLION / Math.max(seconds, 1e-3);
    const lines = [
      `profile: ${Math.round(this.#total / MILLION)} M instructions in ${seconds.toFixed(2)} s of CPU time, ${rate.toFixed(0)} M/s`,
      '',
      'host time by tier, sampled',
      ...tiers.map(
        ({ name, seconds: spent }) => `  ${percent(spent, measured)}  ${spent.toFixed(2).padStart(7)} s  ${name}`,
      ),
      '',
      `guest functions, ${this.#samples.toLocaleString('en')} samples on virtual time`,
      ...this.stacks()
        .slice(0, HOTTEST)
        .map(({ frames, value }) => `  ${percent(value, this.#total)}  ${frames.join(': ')}`),
    ];
    return `${lines.join('\n')}\n`;
  }

  svg(): string {
    const title = `guest instructions by function, ${Math.round(this.#total / MILLION)} M in all`;
    return flameGraph(title, 'instructions', this.stacks());
  }

  #framesOf({ rip, privilege, paging, halted }: EnginePosition): readonly string[] {
    const space = privilege === 3 ? 'user' : paging ? 'kernel' : 'firmware';
    const name = this.#nameOf(rip);
    return halted ? [space, 'halted', name] : [space, name];
  }

  #nameOf(rip: bigint): string {
    for (const table of this.#symbols) {
      const found = table.find(rip);
      if (found !== undefined) return found;
    }
    return `page ${hex((rip >> PAGE_BITS) << PAGE_BITS)}`;
  }
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(whole, Number.MIN_VALUE)).toFixed(1).padStart(5)} %`;
}
