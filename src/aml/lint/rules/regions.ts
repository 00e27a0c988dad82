import { formatPath } from '../../name-string.ts';
import { parentPath } from '../../namespace.ts';
import { REGION_SPACES } from '../../opcodes.ts';
import type { AmlTerm, AnyDef, FieldElement, NameTerm } from '../../tree.ts';
import type { Violation } from '../finding.ts';
import { at, type LintModel, type LintObject } from '../model.ts';
import type { LintRule } from '../rule.ts';
import { constantOf } from '../walk.ts';

/** Operation regions and the fields in them. ACPI 6.5 §5.5.2.4, §19.6.48. */

interface Region {
  readonly object: LintObject;
  readonly space: number;
  /** Nothing where the value is computed. */
  readonly base: bigint | undefined;
  readonly byteLength: bigint | undefined;
}

function regionsOf({ objects }: LintModel): Region[] {
  return objects
    .filter(({ kind }) => kind === 'OpRegion')
    .map((object) => {
      const [, space, base, byteLength] = object.term!.operands as [NameTerm, number, AmlTerm, AmlTerm];
      return { object, space, base: constantOf(base), byteLength: constantOf(byteLength) };
    });
}

const SPACE_NAMES = new Map<number, string>(Object.entries(REGION_SPACES).map(([name, value]) => [value, name]));
const spaceName = (space: number): string => SPACE_NAMES.get(space) ?? `space 0x${space.toString(16)}`;
const ACCESS_BYTES: readonly number[] = [1, 1, 2, 4, 8, 1];
const hexText = (value: bigint | number): string => `0x${value.toString(16)}`;

interface FieldList {
  readonly term: AnyDef;
  readonly region: Region;
  readonly place: Pick<LintObject, 'path' | 'table' | 'scope' | 'term'>;
  readonly accessBytes: number;
  readonly elements: readonly FieldElement[];
}

/** Fields over regions whose length is known. */
function fieldLists(model: LintModel): FieldList[] {
  const regions = new Map(regionsOf(model).map((region) => [region.object.path, region]));
  const lists: FieldList[] = [];
  for (const { term, scope, table } of model.blocks) {
    if (term.kind !== 'DefField') continue;
    const def = term as AnyDef;
    const [name, flags, elements] = def.operands as [NameTerm, number, readonly FieldElement[]];
    const path = model.set.names.resolve(scope, name.path);
    const region = path === undefined ? undefined : regions.get(path);
    if (!region || region.byteLength === undefined) continue;
    const place = { path: region.object.path, table, scope, term: def };
    lists.push({ term: def, region, place, accessBytes: ACCESS_BYTES[flags & 0xf] ?? 1, elements });
  }
  return lists;
}

/** Named fields with the bit at which they start. */
function* namedFields(elements: readonly FieldElement[]): Generator<{ name: string; bit: number; bitLength: number }> {
  let bit = 0;
  for (const element of elements) {
    if (element.kind === 'NamedField') yield { name: element.name, bit, bitLength: element.bitLength };
    if (element.kind === 'NamedField' || element.kind === 'ReservedField') bit += element.bitLength;
  }
}

const LINEAR = new Set<number>([
  REGION_SPACES.SystemMemory,
  REGION_SPACES.SystemIO,
  REGION_SPACES.PCI_Config,
  REGION_SPACES.SystemCMOS,
  REGION_SPACES.EmbeddedControl,
]);

export const REGION_RULES: readonly LintRule[] = [
  {
    id: 'FIELD-BEYOND-REGION',
    severity: 'error',
    title: 'Fields end where their region ends',
    linux: '"AE_AML_REGION_LIMIT": the method that touches the field is aborted',
    windows: 'stop 0xA5 (0x03) when a method of a needed device touches it',
    mend: 'make the region longer, or drop the field',
    check: (model) =>
      fieldLists(model).flatMap(({ region, elements, place }) => {
        if (!LINEAR.has(region.space)) return [];
        const limit = Number(region.byteLength) * 8;
        return [...namedFields(elements)]
          .filter(({ bit, bitLength }) => bitLength > 0 && bit + bitLength > limit)
          .map(({ name, bit, bitLength }) =>
            at(`${formatPath(name)} ends at bit ${bit + bitLength}, the region at ${limit}`, place),
          );
      }),
  },
  {
    id: 'FIELD-ACCESS-BEYOND',
    severity: 'warning',
    title: 'The access of a field does not reach over the end of its region',
    linux: 'the access is split or refused: "AE_AML_REGION_LIMIT"',
    windows: 'stop 0xA5 (0x03) when a method of a needed device touches it',
    mend: 'use a narrower access type, or make the region a multiple of the access width',
    check: (model) =>
      fieldLists(model).flatMap(({ region, elements, accessBytes, place }) => {
        if (!LINEAR.has(region.space) || accessBytes === 1) return [];
        const limit = Number(region.byteLength);
        const last = [...namedFields(elements)].find(({ bit, bitLength }) => {
          const end = Math.ceil((bit + bitLength) / (8 * accessBytes)) * accessBytes;
          return bitLength > 0 && bit + bitLength <= limit * 8 && end > limit;
        });
        if (!last) return [];
        return [at(`${formatPath(last.name)} is read by ${accessBytes} bytes, of a region of ${limit}`, place)];
      }),
  },
  {
    id: 'REGION-EMPTY',
    severity: 'warning',
    title: 'A region has a length',
    linux: '"AE_AML_REGION_LIMIT" on every access; new kernels refuse the region',
    windows: 'stop 0xA5 (0x03) on an access',
    mend: 'state the length',
    check: (model) =>
      regionsOf(model)
        .filter(({ byteLength }) => byteLength === 0n)
        .map(({ object }) => at('its length is 0', object)),
  },
  {
    id: 'REGION-BEYOND-SPACE',
    severity: 'error',
    title: 'A region lies inside its space: 64 KiB of I/O, 4 KiB of PCI_Config, 256 bytes of EmbeddedControl',
    linux: '"AE_BAD_PARAMETER" or an access to another address',
    windows: 'the AML illegal I/O filter refuses the access: ACPI event 6 or stop 0xA5 (0x03)',
    mend: 'correct offset and length',
    check: (model) =>
      regionsOf(model).flatMap(({ object, space, base, byteLength }) => {
        const limit = SPACE_LIMITS[space];
        if (limit === undefined || base === undefined || byteLength === undefined || base + byteLength <= limit)
          return [];
        return [
          at(`${spaceName(space)} ${hexText(base)} + ${hexText(byteLength)} is beyond ${hexText(limit)}`, object),
        ];
      }),
  },
  {
    id: 'REGION-OVERLAP',
    severity: 'remark',
    title: 'Regions of different scopes do not share registers',
    linux: 'nothing, unless two methods or a driver and a method write at once: "ACPI: resource conflict"',
    windows: 'nothing, unless two methods write at once',
    mend: 'declare the region once and name its fields from both, or guard both with one mutex',
    check: (model) => {
      const shared = regionsOf(model).filter(
        ({ space }) => space === REGION_SPACES.SystemIO || space === REGION_SPACES.SystemMemory,
      );
      const known = shared.filter(
        ({ base, byteLength, object }) =>
          base !== undefined && byteLength !== undefined && byteLength > 0n && object.method === undefined,
      );
      const sorted = known.sort((left, right) => (left.base! < right.base! ? -1 : left.base! > right.base! ? 1 : 0));
      const violations: Violation[] = [];
      for (const [index, region] of sorted.entries()) {
        // The nearest one before that reaches over the start, in another scope and not the very same range.
        const before = sorted
          .slice(Math.max(0, index - 8), index)
          .find((other) => other.space === region.space && other.base! + other.byteLength! > region.base!);
        if (!before || (before.base === region.base && before.byteLength === region.byteLength)) continue;
        violations.push(
          at(
            `${spaceName(region.space)} ${hexText(region.base!)} + ${hexText(region.byteLength!)} overlaps ${formatPath(before.object.path)}`,
            region.object,
          ),
        );
      }
      return violations;
    },
  },
  {
    id: 'REGION-FORBIDDEN-PORT',
    severity: 'remark',
    title: 'AML leaves the ports alone that Windows keeps for itself',
    linux: 'the access is made; it races with the drivers of DMA, PIC, PIT, CMOS and PCI configuration',
    windows: 'the access is refused since Windows XP (_OSI says which) and logged as ACPI event 4 or 5',
    mend: 'use the PCI_Config or SystemCMOS space, or drop the access',
    check: (model) =>
      regionsOf(model).flatMap(({ object, space, base, byteLength }) => {
        if (space !== REGION_SPACES.SystemIO || base === undefined || byteLength === undefined) return [];
        const port = FORBIDDEN_PORTS.find(([first, last]) => base <= BigInt(last) && base + byteLength > BigInt(first));
        return port
          ? [at(`ports ${hexText(base)} + ${hexText(byteLength)} hold ${port[2]} (${hexText(port[0])})`, object)]
          : [];
      }),
  },
  {
    id: 'REGION-IN-METHOD',
    severity: 'remark',
    title: 'A region with a fixed place is declared outside of methods',
    linux: 'the region is made and its _REG handler looked for at each call',
    windows: 'the same',
    mend: 'move the OperationRegion and its Field out of the method',
    check: (model) =>
      regionsOf(model)
        .filter(
          ({ object, base, byteLength }) =>
            object.method !== undefined && base !== undefined && byteLength !== undefined,
        )
        .map(({ object }) => at('offset and length are constants', object)),
  },
  {
    id: 'REG-WITHOUT-REGION',
    severity: 'warning',
    title: 'A _REG stands beside a region of its device',
    linux: '_REG is run for regions in its scope only: this one never is',
    windows: 'the same',
    mend: 'move the OperationRegion into the device, or drop _REG',
    check: (model) =>
      model.objects
        .filter(({ kind, path }) => {
          if (kind !== 'Method' || !path.endsWith('._REG')) return false;
          const siblings = [...(model.childrenOf.get(parentPath(path)) ?? [])];
          return !siblings.some((sibling) =>
            model.byPath.get(sibling)?.some((other) => other.kind === 'OpRegion' || other.kind === 'DataRegion'),
          );
        })
        .map((object) => at('the device declares no region', object)),
  },
  {
    id: 'REGION-EC-HANDLER',
    severity: 'remark',
    title: 'A region of an embedded controller stands below its PNP0C09 device',
    linux: '"AE_NOT_EXIST: No handler for region [EmbeddedControl]" until the EC driver binds',
    windows: 'stop 0xA5 (0x03) when it is read before the EC is started',
    mend: 'move the region into the Device with _HID PNP0C09, and read it after _REG (3, 1)',
    check: (model) => {
      const hasController = model.objects.some(({ path, term }) => {
        const value = path.endsWith('_HID') ? (term?.operands[1] as AmlTerm | undefined) : undefined;
        return constantOf(value) === 0x090c_d041n || (value?.kind === 'String' && value.value === 'PNP0C09');
      });
      if (hasController) return [];
      return regionsOf(model)
        .filter(({ space }) => space === REGION_SPACES.EmbeddedControl)
        .map(({ object }) => at('no device has _HID PNP0C09', object));
    },
  },
];

const SPACE_LIMITS: Readonly<Record<number, bigint>> = {
  [REGION_SPACES.SystemIO]: 0x1_0000n,
  [REGION_SPACES.PCI_Config]: 0x1000n,
  [REGION_SPACES.EmbeddedControl]: 0x100n,
};

/** Ports of Microsoft's "I/O ports blocked from BIOS AML": first, last, what is there. */
const FORBIDDEN_PORTS: readonly (readonly [number, number, string])[] = [
  [0x00, 0x0f, 'DMA controller 1'],
  [0x20, 0x21, 'interrupt controller 1'],
  [0x40, 0x43, 'timer'],
  [0x70, 0x71, 'CMOS'],
  [0x81, 0x83, 'DMA pages'],
  [0x87, 0x87, 'DMA page'],
  [0x89, 0x8b, 'DMA pages'],
  [0x8f, 0x8f, 'DMA page'],
  [0xa0, 0xa1, 'interrupt controller 2'],
  [0xc0, 0xdf, 'DMA controller 2'],
  [0x4d0, 0x4d1, 'ELCR'],
  [0xcf8, 0xcff, 'PCI configuration'],
];
