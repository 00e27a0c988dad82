/** What an engine had used when the guest said something: `init`, `begin NAME`, `end NAME CHECKSUM`, `done`, `failed: …`. */
export interface Mark {
  readonly text: string;
  /** User and system time of the engine's whole process since its start, seconds. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** Retired instructions, of an engine that counts them. */
  readonly instructions?: number;
}

/** What the guests' programs write before a mark (`guest/linux.c`, `guest/bare.c`). */
const PREFIX = 'Q35 bench ';
/** Lines of other output that are kept to say why a guest did not come to its end. */
const KEPT_LINES = 25;

/** Takes the serial port's bytes and calls `onMark` at the end of each line that is one. */
export class MarkReader {
  readonly #onMark: (text: string) => void;
  #line = '';
  #lines: string[] = [];

  constructor(onMark: (text: string) => void) {
    this.#onMark = onMark;
  }

  readonly write = (byte: number): void => {
    if (byte !== 10) {
      this.#line += String.fromCharCode(byte);
      return;
    }
    const line = this.#line.trimEnd();
    this.#line = '';
    const at = line.indexOf(PREFIX);
    if (at >= 0) this.#onMark(line.slice(at + PREFIX.length));
    this.#lines = [...this.#lines.slice(1 - KEPT_LINES), line];
  };

  /** The last lines of the serial port. */
  get tail(): string {
    return [...this.#lines, this.#line].join('\n');
  }
}

/** What one engine needed for one part. */
export interface PartRun {
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly checksum: string;
  readonly instructions?: number;
}

/**
 * The run of a workload (`undefined`: the boot to init) among an engine's marks.
 * @throws Error when the guest did not come that far
 */
export function partRun(marks: readonly Mark[], workload: string | undefined): PartRun {
  const find = (text: string): Mark => {
    const mark = marks.find((candidate) => candidate.text === text || candidate.text.startsWith(`${text} `));
    if (mark === undefined) throw new Error(`the guest never said '${text}'`);
    return mark;
  };
  if (workload === undefined) return { ...find('init'), checksum: 'init' };
  const begin = find(`begin ${workload}`);
  const end = find(`end ${workload}`);
  return {
    cpuSeconds: end.cpuSeconds - begin.cpuSeconds,
    peakRssBytes: end.peakRssBytes,
    checksum: end.text.split(' ')[2],
    ...(end.instructions !== undefined && { instructions: end.instructions - (begin.instructions ?? 0) }),
  };
}
