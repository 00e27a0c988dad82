import type { BusTarget, DeviceLog, InterruptLine } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';
import type { ResetAndA20 } from './port92.ts';
import { type KeyboardState, type MouseState, Ps2Keyboard, Ps2Mouse } from './ps2-device.ts';

/** Commands at port 0x64 (IBM PS/2 Technical Reference, "Keyboard and Auxiliary Device Controller"). */
const COMMAND = {
  READ_MODE: 0x20,
  READ_RAM_LAST: 0x3f,
  WRITE_MODE: 0x60,
  WRITE_RAM_LAST: 0x7f,
  DISABLE_AUX: 0xa7,
  ENABLE_AUX: 0xa8,
  TEST_AUX: 0xa9,
  SELF_TEST: 0xaa,
  TEST_KEYBOARD: 0xab,
  DISABLE_KEYBOARD: 0xad,
  ENABLE_KEYBOARD: 0xae,
  READ_INPUT: 0xc0,
  READ_OUTPUT: 0xd0,
  WRITE_OUTPUT: 0xd1,
  WRITE_KEYBOARD_BUFFER: 0xd2,
  WRITE_AUX_BUFFER: 0xd3,
  WRITE_AUX: 0xd4,
  DISABLE_A20: 0xdd,
  ENABLE_A20: 0xdf,
  PULSE: 0xf0,
  NOTHING: 0xff,
} as const;

const STATUS = { OBF: 0x01, SYS: 0x04, COMMAND: 0x08, UNLOCKED: 0x10, AUX_OBF: 0x20 } as const;
const MODE = {
  KEYBOARD_INT: 0x01,
  AUX_INT: 0x02,
  SYS: 0x04,
  KEYBOARD_OFF: 0x10,
  AUX_OFF: 0x20,
  TRANSLATE: 0x40,
} as const;
/** Output port: bit 0 low resets, bit 1 is A20, bits 4 and 5 follow the interrupts. */
const OUTPUT = { NOT_RESET: 0x01, A20: 0x02, KEYBOARD_OBF: 0x10, AUX_OBF: 0x20, ONES: 0xcc } as const;

/** Set 2 to set 1 for codes below 0x84, as the controller's ROM translates them. */
const TRANSLATION: readonly number[] = [
  0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59, 0x65, 0x38, 0x2a,
  0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05,
  0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a,
  0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26,
  0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63,
  0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53,
  0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, 0x80, 0x81, 0x82, 0x41,
];

/** Set 2: the key of the next byte goes up. */
const RELEASE_PREFIX = 0xf0;

/** Who filled the output buffer. */
type Origin = 'controller' | 'keyboard' | 'aux';

interface OutputByte {
  readonly value: number;
  readonly origin: Origin;
}

export interface I8042State {
  readonly mode: number;
  readonly status: number;
  readonly outputPort: number;
  readonly ram: readonly number[];
  readonly expecting: number;
  readonly output?: OutputByte;
  readonly queue: readonly OutputByte[];
  readonly last: number;
  readonly released: boolean;
  readonly keyboard: KeyboardState;
  readonly mouse: MouseState;
}

/** 8042 keyboard controller with a PS/2 keyboard and a mouse: IRQ 1 and 12, A20 and reset through its output port. */
export class I8042 {
  /** Port 0x60. */
  readonly dataPort: BusTarget;
  /** Port 0x64. */
  readonly commandPort: BusTarget;
  readonly keyboard = new Ps2Keyboard();
  readonly mouse = new Ps2Mouse();
  readonly #irq1: InterruptLine;
  readonly #irq12: InterruptLine;
  readonly #wires: ResetAndA20;
  readonly #log: DeviceLog;
  #mode = 0;
  #status = 0;
  #outputPort = 0;
  #ram = new Uint8Array(32);
  /** The command whose data byte comes next at port 0x60, or 0. */
  #expecting = 0;
  #output: OutputByte | undefined;
  #queue: OutputByte[] = [];
  #last = 0;
  /** A set 2 release prefix was swallowed by the translation. */
  #released = false;

  constructor(irq1: InterruptLine, irq12: InterruptLine, wires: ResetAndA20, log: DeviceLog) {
    this.#irq1 = irq1;
    this.#irq12 = irq12;
    this.#wires = wires;
    this.#log = log;
    this.dataPort = bytePorts({
      readByte: () => this.#readData(),
      writeByte: (_offset, value) => this.#writeData(value),
    });
    this.commandPort = bytePorts({
      readByte: () => this.#readStatus(),
      writeByte: (_offset, value) => this.#command(value),
    });
    this.reset();
  }

  reset(): void {
    this.#mode = MODE.KEYBOARD_INT | MODE.AUX_INT;
    this.#status = STATUS.COMMAND | STATUS.UNLOCKED;
    this.#outputPort = OUTPUT.ONES | OUTPUT.NOT_RESET | OUTPUT.A20;
    this.#expecting = 0;
    this.#output = undefined;
    this.#queue = [];
    this.#released = false;
    this.keyboard.reset();
    this.mouse.reset();
    this.#update();
  }

  snapshot(): I8042State {
    return {
      mode: this.#mode,
      status: this.#status,
      outputPort: this.#outputPort,
      ram: [...this.#ram],
      expecting: this.#expecting,
      output: this.#output,
      queue: [...this.#queue],
      last: this.#last,
      released: this.#released,
      keyboard: this.keyboard.snapshot(),
      mouse: this.mouse.snapshot(),
    };
  }

  restore(state: I8042State): void {
    this.#mode = state.mode;
    this.#status = state.status;
    this.#outputPort = state.outputPort;
    this.#ram.set(state.ram);
    this.#expecting = state.expecting;
    this.#output = state.output;
    this.#queue = [...state.queue];
    this.#last = state.last;
    this.#released = state.released;
    this.keyboard.restore(state.keyboard);
    this.mouse.restore(state.mouse);
    this.#driveInterrupts();
  }

  /** Bytes of a key in scan code set 2, typed on the keyboard. */
  press(...bytes: readonly number[]): void {
    this.keyboard.press(...bytes);
    this.#update();
  }

  #readStatus(): number {
    if (!this.#output) return this.#status;
    return this.#status | STATUS.OBF | (this.#output.origin === 'aux' ? STATUS.AUX_OBF : 0);
  }

  #readData(): number {
    if (this.#output) this.#last = this.#output.value;
    this.#output = undefined;
    this.#driveInterrupts();
    this.#update();
    return this.#last;
  }

  #reply(value: number, origin: Origin = 'controller'): void {
    this.#queue.push({ value, origin });
    this.#update();
  }

  #command(value: number): void {
    this.#expecting = 0;
    this.#status |= STATUS.COMMAND;
    if (value > COMMAND.READ_MODE && value <= COMMAND.READ_RAM_LAST) this.#reply(this.#ram[value & 0x1f]);
    else if (value > COMMAND.WRITE_MODE && value <= COMMAND.WRITE_RAM_LAST) this.#expecting = value;
    else if (value >= COMMAND.PULSE) this.#pulse(value);
    else this.#controllerCommand(value);
    this.#update();
  }

  #controllerCommand(value: number): void {
    switch (value) {
      case COMMAND.READ_MODE:
        this.#reply(this.#mode);
        break;
      case COMMAND.WRITE_MODE:
      case COMMAND.WRITE_OUTPUT:
      case COMMAND.WRITE_KEYBOARD_BUFFER:
      case COMMAND.WRITE_AUX_BUFFER:
      case COMMAND.WRITE_AUX:
        this.#expecting = value;
        break;
      case COMMAND.DISABLE_AUX:
        this.#mode |= MODE.AUX_OFF;
        break;
      case COMMAND.ENABLE_AUX:
        this.#mode &= ~MODE.AUX_OFF;
        break;
      case COMMAND.SELF_TEST:
        this.#status |= STATUS.SYS;
        this.#reply(0x55);
        break;
      case COMMAND.TEST_AUX:
      case COMMAND.TEST_KEYBOARD:
        this.#reply(0);
        break;
      case COMMAND.DISABLE_KEYBOARD:
        this.#mode |= MODE.KEYBOARD_OFF;
        break;
      case COMMAND.ENABLE_KEYBOARD:
        this.#mode &= ~MODE.KEYBOARD_OFF;
        break;
      case COMMAND.READ_INPUT:
        this.#reply(0x80);
        break;
      case COMMAND.READ_OUTPUT:
        this.#reply(this.#readOutputPort());
        break;
      case COMMAND.ENABLE_A20:
      case COMMAND.DISABLE_A20:
        this.#setA20(value === COMMAND.ENABLE_A20);
        break;
      default:
        this.#log.guestError('i8042-command', `unknown command 0x${value.toString(16)}`);
    }
  }

  /** 0xf0–0xff pulse output lines low: bit 0 clear pulses reset, whatever the other bits. */
  #pulse(value: number): void {
    if (!(value & 1)) this.#wires.requestReset();
  }

  #writeData(value: number): void {
    const command = this.#expecting;
    this.#expecting = 0;
    this.#status &= ~STATUS.COMMAND;
    switch (command) {
      case 0:
        // A byte for the keyboard switches its interface on.
        this.#mode &= ~MODE.KEYBOARD_OFF;
        this.keyboard.command(value);
        break;
      case COMMAND.WRITE_MODE:
        this.#mode = value;
        this.#status = (this.#status & ~STATUS.SYS) | (value & MODE.SYS);
        this.#driveInterrupts();
        break;
      case COMMAND.WRITE_OUTPUT:
        this.#outputPort = (value & ~(OUTPUT.KEYBOARD_OBF | OUTPUT.AUX_OBF)) | OUTPUT.NOT_RESET;
        this.#setA20((value & OUTPUT.A20) !== 0);
        if (!(value & OUTPUT.NOT_RESET)) this.#wires.requestReset();
        break;
      case COMMAND.WRITE_KEYBOARD_BUFFER:
        this.#reply(value, 'keyboard');
        break;
      case COMMAND.WRITE_AUX_BUFFER:
        this.#reply(value, 'aux');
        break;
      case COMMAND.WRITE_AUX:
        this.#mode &= ~MODE.AUX_OFF;
        this.mouse.command(value);
        break;
      default:
        this.#ram[command & 0x1f] = value;
    }
    this.#update();
  }

  #readOutputPort(): number {
    const origin = this.#output?.origin;
    return (
      this.#outputPort |
      (origin === 'keyboard' || origin === 'controller' ? OUTPUT.KEYBOARD_OBF : 0) |
      (origin === 'aux' ? OUTPUT.AUX_OBF : 0)
    );
  }

  #setA20(enabled: boolean): void {
    this.#outputPort = enabled ? this.#outputPort | OUTPUT.A20 : this.#outputPort & ~OUTPUT.A20;
    this.#wires.setA20(enabled);
  }

  /** Fills an empty output buffer: the controller's answers first, then keyboard, then mouse. */
  #update(): void {
    if (this.#output) return;
    this.#output = this.#queue.shift();
    if (!this.#output && !(this.#mode & MODE.KEYBOARD_OFF))
      this.#output = outputOf(this.#nextKeyboardByte(), 'keyboard');
    if (!this.#output && !(this.#mode & MODE.AUX_OFF)) this.#output = outputOf(this.mouse.next(), 'aux');
    this.#driveInterrupts();
  }

  /** The keyboard's next byte, in set 1 when translation is on: there a release is bit 7, not a prefix. */
  #nextKeyboardByte(): number {
    let value = this.keyboard.next();
    if (!(this.#mode & MODE.TRANSLATE)) return value;
    if (value === RELEASE_PREFIX) {
      this.#released = true;
      value = this.keyboard.next();
    }
    if (value < 0 || value >= TRANSLATION.length) return value;
    const release = this.#released ? 0x80 : 0;
    this.#released = false;
    return TRANSLATION[value] | release;
  }

  #driveInterrupts(): void {
    const full = this.#output !== undefined;
    const aux = this.#output?.origin === 'aux';
    this.#irq1.set(full && !aux && (this.#mode & MODE.KEYBOARD_INT) !== 0);
    this.#irq12.set(full && aux && (this.#mode & MODE.AUX_INT) !== 0);
  }
}

function outputOf(value: number, origin: Origin): OutputByte | undefined {
  return value < 0 ? undefined : { value, origin };
}
