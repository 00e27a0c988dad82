import { VectorSet } from './vector-set.ts';

export interface PriorityState {
  /** 256-bit registers by 32-bit words, vector 0 in the first. */
  readonly irr: readonly number[];
  readonly isr: readonly number[];
  readonly tmr: readonly number[];
  readonly tpr: number;
}

/** Requests, services and priorities of a local APIC (SDM Vol. 3 §11.8): IRR, ISR, TMR, TPR and what derives from them. */
export class InterruptPriority {
  readonly irr = new VectorSet();
  readonly isr = new VectorSet();
  readonly tmr = new VectorSet();
  /** Task priority register. */
  tpr = 0;

  reset(): void {
    this.irr.clear();
    this.isr.clear();
    this.tmr.clear();
    this.tpr = 0;
  }

  snapshot(): PriorityState {
    return { irr: this.irr.snapshot(), isr: this.isr.snapshot(), tmr: this.tmr.snapshot(), tpr: this.tpr };
  }

  restore(state: PriorityState): void {
    this.irr.restore(state.irr);
    this.isr.restore(state.isr);
    this.tmr.restore(state.tmr);
    this.tpr = state.tpr;
  }

  /** Processor priority register: the higher class of the task's and of what is in service. */
  get ppr(): number {
    const inService = Math.max(0, this.isr.highest());
    return this.tpr >> 4 >= inService >> 4 ? this.tpr : inService & 0xf0;
  }

  /** The requested vector whose class is above the processor's, or −1. */
  get deliverable(): number {
    const vector = this.irr.highest();
    return vector >= 0 && vector >> 4 > this.ppr >> 4 ? vector : -1;
  }

  request(vector: number, level: boolean): void {
    this.irr.add(vector);
    if (level) this.tmr.add(vector);
    else this.tmr.delete(vector);
  }

  /** Puts `vector` from request into service. */
  serve(vector: number): void {
    this.irr.delete(vector);
    this.isr.add(vector);
  }

  /** Ends the highest service; its vector, or −1 when there was none. */
  end(): number {
    const vector = this.isr.highest();
    if (vector >= 0) this.isr.delete(vector);
    return vector;
  }
}
