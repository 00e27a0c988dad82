/** Answers that both PS/2 devices give. */
export const PS2_REPLY = { ACK: 0xfa, RESEND: 0xfe, SELF_TEST_PASSED: 0xaa, ECHO: 0xee } as const;

/** Bytes that a device holds for its host. */
const QUEUE_BYTES = 16;

/** The device end of a PS/2 cable: commands in, answers queued until the controller takes them. */
export interface Ps2Device {
  /** A byte from the host. */
  command(value: number): void;
  /** The next byte for the host, or −1. */
  next(): number;
  reset(): void;
}

interface QueueState {
  readonly queue: readonly number[];
  readonly expecting: number;
}

export interface KeyboardState extends QueueState {
  readonly scanCodeSet: number;
  readonly scanning: boolean;
}

export interface MouseState extends QueueState {
  readonly rate: number;
  readonly resolution: number;
  readonly remote: boolean;
  readonly enabled: boolean;
  readonly doubled: boolean;
  readonly wrapped: boolean;
}

/** The queue and the argument state that keyboard and mouse share. */
abstract class QueuedPs2Device implements Ps2Device {
  #queue: number[] = [];
  /** The command whose argument comes next, or 0. */
  protected expecting = 0;

  abstract reset(): void;
  protected abstract argument(command: number, value: number): void;
  protected abstract run(command: number): void;

  command(value: number): void {
    const command = this.expecting;
    this.expecting = 0;
    // A new command drops the answers to the last one.
    this.#queue = [];
    if (command !== 0) this.argument(command, value);
    else this.run(value);
  }

  next(): number {
    return this.#queue.shift() ?? -1;
  }

  protected answer(...bytes: readonly number[]): void {
    for (const byte of bytes) if (this.#queue.length < QUEUE_BYTES) this.#queue.push(byte);
  }

  protected snapshotQueue(): QueueState {
    return { queue: [...this.#queue], expecting: this.expecting };
  }

  protected restoreQueue(state: QueueState): void {
    this.#queue = [...state.queue];
    this.expecting = state.expecting;
  }

  protected clearQueue(): void {
    this.#queue = [];
    this.expecting = 0;
  }
}

const KEYBOARD = {
  SET_LEDS: 0xed,
  ECHO: 0xee,
  SCAN_CODE_SET: 0xf0,
  IDENTIFY: 0xf2,
  SET_RATE: 0xf3,
  ENABLE: 0xf4,
  DISABLE: 0xf5,
  DEFAULTS: 0xf6,
  RESET: 0xff,
} as const;

/** An MF2 keyboard: identifies itself, keeps its settings, passes on the keys that it is given. */
export class Ps2Keyboard extends QueuedPs2Device {
  #scanCodeSet = 2;
  #scanning = true;

  reset(): void {
    this.clearQueue();
    this.#scanCodeSet = 2;
    this.#scanning = true;
  }

  snapshot(): KeyboardState {
    return { ...this.snapshotQueue(), scanCodeSet: this.#scanCodeSet, scanning: this.#scanning };
  }

  restore(state: KeyboardState): void {
    this.restoreQueue(state);
    this.#scanCodeSet = state.scanCodeSet;
    this.#scanning = state.scanning;
  }

  /** Bytes of a key as scan code set 2 has it. */
  press(...bytes: readonly number[]): void {
    if (this.#scanning) this.answer(...bytes);
  }

  protected argument(command: number, value: number): void {
    if (command === KEYBOARD.SCAN_CODE_SET && value === 0) {
      this.answer(PS2_REPLY.ACK, this.#scanCodeSet);
      return;
    }
    if (command === KEYBOARD.SCAN_CODE_SET && value <= 3) this.#scanCodeSet = value;
    this.answer(PS2_REPLY.ACK);
  }

  protected run(command: number): void {
    switch (command) {
      case KEYBOARD.ECHO:
        this.answer(PS2_REPLY.ECHO);
        break;
      case KEYBOARD.IDENTIFY:
        this.answer(PS2_REPLY.ACK, 0xab, 0x83);
        break;
      case KEYBOARD.SET_LEDS:
      case KEYBOARD.SCAN_CODE_SET:
      case KEYBOARD.SET_RATE:
        this.expecting = command;
        this.answer(PS2_REPLY.ACK);
        break;
      case KEYBOARD.ENABLE:
        this.#scanning = true;
        this.answer(PS2_REPLY.ACK);
        break;
      case KEYBOARD.DISABLE:
        this.#scanning = false;
        this.answer(PS2_REPLY.ACK);
        break;
      case KEYBOARD.DEFAULTS:
        this.reset();
        this.answer(PS2_REPLY.ACK);
        break;
      case KEYBOARD.RESET:
        this.reset();
        this.answer(PS2_REPLY.ACK, PS2_REPLY.SELF_TEST_PASSED);
        break;
      default:
        this.answer(PS2_REPLY.RESEND);
    }
  }
}

const MOUSE = {
  SCALING_1: 0xe6,
  SCALING_2: 0xe7,
  SET_RESOLUTION: 0xe8,
  STATUS: 0xe9,
  STREAM: 0xea,
  POLL: 0xeb,
  WRAP_OFF: 0xec,
  WRAP_ON: 0xee,
  REMOTE: 0xf0,
  IDENTIFY: 0xf2,
  SET_RATE: 0xf3,
  ENABLE: 0xf4,
  DISABLE: 0xf5,
  DEFAULTS: 0xf6,
  RESET: 0xff,
} as const;

/** A three-button PS/2 mouse that lies still. */
export class Ps2Mouse extends QueuedPs2Device {
  #rate = 100;
  #resolution = 2;
  #remote = false;
  #enabled = false;
  #doubled = false;
  #wrapped = false;

  reset(): void {
    this.clearQueue();
    this.#rate = 100;
    this.#resolution = 2;
    this.#remote = false;
    this.#enabled = false;
    this.#doubled = false;
    this.#wrapped = false;
  }

  snapshot(): MouseState {
    return {
      ...this.snapshotQueue(),
      rate: this.#rate,
      resolution: this.#resolution,
      remote: this.#remote,
      enabled: this.#enabled,
      doubled: this.#doubled,
      wrapped: this.#wrapped,
    };
  }

  restore(state: MouseState): void {
    this.restoreQueue(state);
    this.#rate = state.rate;
    this.#resolution = state.resolution;
    this.#remote = state.remote;
    this.#enabled = state.enabled;
    this.#doubled = state.doubled;
    this.#wrapped = state.wrapped;
  }

  protected argument(command: number, value: number): void {
    if (command === MOUSE.SET_RATE) this.#rate = value;
    else this.#resolution = value & 3;
    this.answer(PS2_REPLY.ACK);
  }

  protected run(command: number): void {
    if (this.#wrapped && command !== MOUSE.WRAP_OFF && command !== MOUSE.RESET) {
      this.answer(command);
      return;
    }
    switch (command) {
      case MOUSE.SET_RESOLUTION:
      case MOUSE.SET_RATE:
        this.expecting = command;
        this.answer(PS2_REPLY.ACK);
        break;
      case MOUSE.STATUS:
        this.answer(PS2_REPLY.ACK, this.#status, this.#resolution, this.#rate);
        break;
      case MOUSE.POLL:
        this.answer(PS2_REPLY.ACK, 0x08, 0, 0);
        break;
      case MOUSE.IDENTIFY:
        this.answer(PS2_REPLY.ACK, 0);
        break;
      case MOUSE.RESET:
        this.reset();
        this.answer(PS2_REPLY.ACK, PS2_REPLY.SELF_TEST_PASSED, 0);
        break;
      default:
        this.answer(this.#set(command) ? PS2_REPLY.ACK : PS2_REPLY.RESEND);
    }
  }

  get #status(): number {
    return (this.#remote ? 0x40 : 0) | (this.#enabled ? 0x20 : 0) | (this.#doubled ? 0x10 : 0);
  }

  /** Commands that only change a setting; false for an unknown one. */
  #set(command: number): boolean {
    switch (command) {
      case MOUSE.SCALING_1:
      case MOUSE.SCALING_2:
        this.#doubled = command === MOUSE.SCALING_2;
        return true;
      case MOUSE.STREAM:
      case MOUSE.REMOTE:
        this.#remote = command === MOUSE.REMOTE;
        return true;
      case MOUSE.WRAP_ON:
      case MOUSE.WRAP_OFF:
        this.#wrapped = command === MOUSE.WRAP_ON;
        return true;
      case MOUSE.ENABLE:
      case MOUSE.DISABLE:
        this.#enabled = command === MOUSE.ENABLE;
        return true;
      case MOUSE.DEFAULTS:
        this.reset();
        return true;
      default:
        return false;
    }
  }
}
