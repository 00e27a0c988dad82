/** What waits for a processor between two instructions, besides the INTR pin, and the states in which it runs none. JSON. */
export interface EventState {
  readonly nmiPending: boolean;
  /** INIT arrived and is still to be carried out. */
  readonly initPending: boolean;
  /** Start-up message that waits: its vector, or −1. */
  readonly startUp: number;
  /** After INIT: only a start-up message goes on from here. */
  readonly waitsForStartUp: boolean;
  /** Shut down by a triple fault: only a reset goes on from here. */
  readonly shutdown: boolean;
}

/** The same, as it changes. */
export class PendingEvents {
  nmi = false;
  init = false;
  startUp = -1;
  waitsForStartUp = false;
  shutdown = false;

  /** Power-on: all but the boot processor wait (SDM vol. 3 §8.4). */
  reset(isBootProcessor: boolean): void {
    this.nmi = false;
    this.init = false;
    this.startUp = -1;
    this.waitsForStartUp = !isBootProcessor;
    this.shutdown = false;
  }

  snapshot(): EventState {
    return {
      nmiPending: this.nmi,
      initPending: this.init,
      startUp: this.startUp,
      waitsForStartUp: this.waitsForStartUp,
      shutdown: this.shutdown,
    };
  }

  restore(state: EventState): void {
    this.nmi = state.nmiPending;
    this.init = state.initPending;
    this.startUp = state.startUp;
    this.waitsForStartUp = state.waitsForStartUp;
    this.shutdown = state.shutdown;
  }
}
