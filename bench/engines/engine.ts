import type { GuestImage } from '../guest-images.ts';
import type { Mark } from '../marks.ts';

/** Something that runs a guest. */
export interface Engine {
  /** Why it cannot run here, if it cannot. */
  readonly missing: () => string | undefined;
  /**
   * Boots the guest in a process of its own, has it run the workloads and gives its marks.
   * @throws Error when the guest does not come to its end
   */
  run(image: GuestImage, workloads: readonly string[]): Promise<Mark[]>;
}

/** Every guest has this much memory, bytes. */
export const GUEST_MIB = 512;
/** Processor of every guest. */
export const GUEST_CPU = 'qemu64';
/** Wall-clock seconds after which a guest counts as lost. */
export const TIMEOUT_SECONDS = 900;
