import type { AddressSpace } from '../../resources/address-space.ts';
import { decodeResources, type ResourceDescriptor } from '../../resources/resource-template.ts';
import type { AmlTerm } from '../../tree.ts';
import type { Violation } from '../finding.ts';
import { at, type LintModel, type LintObject } from '../model.ts';
import { returnPaths } from '../returns.ts';
import type { LintRule } from '../rule.ts';
import { bufferOf, operandOf } from '../walk.ts';

/** Resource templates that stand as data: every Name that holds one, and what _CRS and _PRS return. ACPI 6.5 §6.4. */

interface Template {
  readonly object: LintObject;
  readonly descriptors: readonly ResourceDescriptor[];
  readonly checksum: number;
  readonly bytes: Uint8Array;
}

interface Unreadable {
  readonly object: LintObject;
  readonly problem: string;
}

const RESOURCE_NAMES = new Set(['_CRS', '_PRS', '_AEI', '_DMA']);

/** Buffers that are templates by their name, or by their look: they begin with a known tag and end with an EndTag. */
function buffersOf(model: LintModel): { object: LintObject; bytes: Uint8Array; certain: boolean }[] {
  return model.objects.flatMap((object) => {
    const named = RESOURCE_NAMES.has(object.path.slice(-4));
    if (object.kind === 'Name') {
      const bytes = bufferOf(operandOf(object.term as AmlTerm, 1));
      return bytes ? [{ object, bytes, certain: named }] : [];
    }
    if (object.kind !== 'Method' || !named) return [];
    return returnPaths(object.term!.operands[2] as readonly AmlTerm[]).returns.flatMap((value) => {
      const bytes = bufferOf(value);
      return bytes ? [{ object, bytes, certain: true }] : [];
    });
  });
}

function templatesOf(model: LintModel): { readonly sound: Template[]; readonly broken: Unreadable[] } {
  const sound: Template[] = [];
  const broken: Unreadable[] = [];
  for (const { object, bytes, certain } of buffersOf(model)) {
    // An empty buffer is how methods say that an absent device has no resources.
    if (bytes.length === 0 || (!certain && !looksLikeTemplate(bytes))) continue;
    try {
      const { descriptors, checksum, end } = decodeResources(bytes);
      if (!certain && (end !== bytes.length || descriptors.some(({ kind }) => kind === 'Raw'))) continue;
      sound.push({ object, descriptors, checksum, bytes: bytes.subarray(0, end) });
    } catch (error) {
      if (certain) broken.push({ object, problem: (error as Error).message });
    }
  }
  return { sound, broken };
}

const looksLikeTemplate = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[bytes.length - 2] === 0x79 && (bytes[0] >= 0x82 || (bytes[0] & 0x78) >= 0x20);

function forEach<Kind extends ResourceDescriptor['kind']>(
  kind: Kind,
  check: (descriptor: Extract<ResourceDescriptor, { readonly kind: Kind }>, template: Template) => string | undefined,
): LintRule['check'] {
  return (model) =>
    templatesOf(model).sound.flatMap((template) =>
      template.descriptors.flatMap((descriptor, index): Violation[] => {
        if (descriptor.kind !== kind) return [];
        const message = check(descriptor as never, template);
        return message === undefined ? [] : [at(`descriptor ${index}: ${message}`, template.object)];
      }),
    );
}

const hexText = (value: bigint | number): string => `0x${value.toString(16)}`;

export const RESOURCE_RULES: readonly LintRule[] = [
  {
    id: 'RESOURCE-TEMPLATE',
    severity: 'error',
    title: 'A resource template is a list of descriptors that ends with an EndTag',
    linux: '"AE_AML_NO_RESOURCE_END_TAG": the device gets no resources',
    windows: 'stop 0xA5 (0x0d) or Code 12',
    mend: 'correct the length of the descriptor or end the template with 0x79 0x00',
    check: (model) => templatesOf(model).broken.map(({ object, problem }) => at(problem, object)),
  },
  {
    id: 'RESOURCE-CHECKSUM',
    severity: 'remark',
    title: 'The checksum behind the EndTag is 0 (not computed) or right',
    linux: 'nothing: it is not looked at',
    windows: 'nothing: it is not looked at',
    mend: 'write 0',
    check: (model) =>
      templatesOf(model)
        .sound.filter(({ checksum, bytes }) => checksum !== 0 && bytes.reduce((sum, byte) => sum + byte, 0) % 256 !== 0)
        .map(({ object, checksum }) => at(`it is ${hexText(checksum)}`, object)),
  },
  {
    id: 'RESOURCE-LENGTH',
    severity: 'error',
    title: 'A fixed range is as long as from its minimum to its maximum',
    linux: '"invalid resource" or the window is cut: devices below do not fit',
    windows: 'stop 0xA5 (0x0d) for a host bridge, else Code 12',
    mend: 'put the length at maximum − minimum + 1; a range that a method fills in starts as all 0',
    check: forEach('AddressSpace', rangeFault),
  },
  {
    id: 'RESOURCE-ORDER',
    severity: 'error',
    title: 'The minimum of a range is not above its maximum',
    linux: 'the descriptor is dropped',
    windows: 'stop 0xA5 (0x0d) for a host bridge, else Code 12',
    mend: 'swap the two, or correct the one that is wrong',
    check: forEach('AddressSpace', ({ minimum, maximum, length }) =>
      // Templates that methods fill in hold a maximum of 0 or a length of 0 before.
      minimum > maximum && maximum !== 0n && length !== 0n
        ? `${hexText(minimum)} is above ${hexText(maximum)}`
        : undefined,
    ),
  },
  {
    id: 'RESOURCE-GRANULARITY',
    severity: 'warning',
    title: 'The granularity is a power of two less one, and the minimum fits it',
    linux: 'nothing: granularity is not looked at',
    windows: 'the range is rounded, or the device gets Code 12',
    mend: 'write 0, or a mask such as 0xfff',
    check: forEach('AddressSpace', ({ granularity, minimum, minFixed }) => {
      if (granularity === 0n) return undefined;
      if ((granularity & (granularity + 1n)) !== 0n) return `granularity ${hexText(granularity)}`;
      return minFixed && (minimum & granularity) !== 0n
        ? `minimum ${hexText(minimum)} with granularity ${hexText(granularity)}`
        : undefined;
    }),
  },
  {
    id: 'RESOURCE-IO-ORDER',
    severity: 'error',
    title: 'The minimum of an I/O range is not above its maximum',
    linux: 'the descriptor is dropped',
    windows: 'Code 12',
    mend: 'correct the one that is wrong',
    check: forEach('IO', ({ minimum, maximum }) =>
      minimum > maximum && maximum !== 0 ? `${hexText(minimum)} is above ${hexText(maximum)}` : undefined,
    ),
  },
  {
    id: 'RESOURCE-IO-ALIGNMENT',
    severity: 'warning',
    title: 'The minimum of an I/O range is a multiple of its alignment',
    linux: 'nothing for a fixed range',
    windows: 'Code 12 when the resources are assigned anew',
    mend: 'write alignment 1 for a fixed range',
    check: forEach('IO', ({ minimum, alignment }) =>
      alignment > 1 && minimum % alignment !== 0 ? `${hexText(minimum)} with alignment ${alignment}` : undefined,
    ),
  },
  {
    id: 'RESOURCE-IRQ-ONE',
    severity: 'error',
    title: '_CRS names one interrupt in an IRQ descriptor and one channel in a DMA descriptor',
    linux: 'the first is taken',
    windows: 'stop 0xA5 (0x0d) for an interrupt link, else Code 12',
    mend: 'state what is set now; what is possible belongs into _PRS',
    check: (model) => [
      ...forEach('IRQ', ({ irqs }, { object }) =>
        object.path.endsWith('_CRS') && irqs.length > 1 ? `IRQs ${irqs.join(', ')}` : undefined,
      )(model),
      ...forEach('DMA', ({ channels }, { object }) =>
        object.path.endsWith('_CRS') && channels.length > 1 ? `channels ${channels.join(', ')}` : undefined,
      )(model),
    ],
  },
  {
    id: 'RESOURCE-ZERO',
    severity: 'remark',
    title: 'Ranges in a _CRS that is data have a length',
    linux: 'the range is ignored',
    windows: 'the range is ignored, or Code 12',
    mend: 'drop the descriptor, or state the length',
    check: (model) => [
      ...forEach('Memory32Fixed', ({ byteLength }, { object }) =>
        isPlainCrs(object) && byteLength === 0 ? 'the memory range is empty' : undefined,
      )(model),
      ...forEach('IO', ({ byteLength }, { object }) =>
        isPlainCrs(object) && byteLength === 0 ? 'the I/O range is empty' : undefined,
      )(model),
    ],
  },
];

const isPlainCrs = ({ path, kind }: LintObject): boolean => kind === 'Name' && path.endsWith('_CRS');

function rangeFault({ minimum, maximum, length, minFixed, maxFixed }: AddressSpace): string | undefined {
  if (length === 0n || minimum > maximum) return undefined;
  const span = maximum - minimum + 1n;
  const stated = `${hexText(minimum)}–${hexText(maximum)}, length ${hexText(length)}`;
  if (length > span) return `${stated}: longer than the range`;
  return minFixed && maxFixed && length !== span ? `${stated} instead of ${hexText(span)}` : undefined;
}
