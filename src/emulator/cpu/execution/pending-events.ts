/** What waits for the processor between two instructions, besides the INTR pin, and the state that only a reset ends. */
export class PendingEvents {
  nmi = false;
  /** A triple fault shut the processor down. */
  shutdown = false;

  clear(): void {
    this.nmi = false;
    this.shutdown = false;
  }
}
