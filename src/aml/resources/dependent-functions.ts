/** StartDependentFn and EndDependentFn: ACPI 6.5 §6.4.2.3. */
import type { DescriptorCodec } from './descriptor.ts';

/** Opens one of several configurations that a device can have; the descriptors up to the next start or end belong to it. */
export interface StartDependent {
  readonly kind: 'StartDependentFn';
  /** Nothing: the form without priority byte (StartDependentFnNoPri). */
  readonly priority?: { readonly compatibility: number; readonly performance: number };
}

export const START_DEPENDENT: DescriptorCodec<StartDependent> = {
  kind: 'StartDependentFn',
  tags: [0x30],
  encode({ priority }) {
    return { tag: 0x30, body: priority ? [priority.compatibility | (priority.performance << 2)] : [] };
  },
  decode(body) {
    if (body.length === 0) return { kind: 'StartDependentFn' };
    return {
      kind: 'StartDependentFn',
      priority: { compatibility: body[0] & 3, performance: (body[0] >> 2) & 3 },
    };
  },
  asl({ priority }) {
    if (!priority) return { name: 'StartDependentFnNoPri', args: [] };
    return { name: 'StartDependentFn', args: [`${priority.compatibility}`, `${priority.performance}`] };
  },
};

export interface EndDependent {
  readonly kind: 'EndDependentFn';
}

export const END_DEPENDENT: DescriptorCodec<EndDependent> = {
  kind: 'EndDependentFn',
  tags: [0x38],
  encode() {
    return { tag: 0x38, body: [] };
  },
  decode() {
    return { kind: 'EndDependentFn' };
  },
  asl() {
    return { name: 'EndDependentFn', args: [] };
  },
};
