import { formatPath } from '../../name-string.ts';
import { childPath, parentPath } from '../../namespace.ts';
import { at, type LintModel } from '../model.ts';
import type { LintRule } from '../rule.ts';
import { constantOf, elementsOf } from '../walk.ts';
import { plainValue } from './devices.ts';

/** General-purpose events and queries of the embedded controller. ACPI 6.5 §5.6.4. */

const EVENT = /^_([ELW])([0-9A-F]{2})$/;

export const EVENT_RULES: readonly LintRule[] = [
  {
    id: 'GPE-NAME',
    severity: 'warning',
    title: 'Methods in \\_GPE are _Exx, _Lxx or _Wxx with upper-case hexadecimal digits',
    linux: '"unexpected character" or "Unknown GPE method type": the event is never handled',
    windows: 'the event is never handled; a level-triggered one storms',
    mend: 'correct the name',
    check: (model) =>
      model.objects
        .filter(({ kind, path }) => kind === 'Method' && parentPath(path) === '\\_GPE')
        .filter(({ path }) => /^_[ELWelw]..$/.test(path.slice(-4)) && !EVENT.test(path.slice(-4)))
        .map((object) => at(`${formatPath(object.path.slice(-4))} is no event's name`, object)),
  },
  {
    id: 'GPE-BOTH',
    severity: 'error',
    title: 'An event is edge- or level-triggered, not both',
    linux: '"For GPE 0x.., found both _Lxx and _Exx methods": one is ignored',
    windows: 'which one runs is not defined',
    mend: 'keep the one that the hardware needs',
    check: (model) =>
      model.objects
        .filter(({ kind, path }) => {
          const event = kind === 'Method' ? EVENT.exec(path.slice(-4)) : undefined;
          return event?.[1] === 'E' && model.byPath.has(childPath(parentPath(path), `_L${event[2]}`));
        })
        .map((object) => at(`_L${object.path.slice(-2)} is there as well`, object)),
  },
  {
    id: 'GPE-SHARED-WAKE',
    severity: 'remark',
    title: 'A GPE that wakes has a handler that notifies its device',
    linux: 'the kernel notifies the device implicitly when there is no method',
    windows: 'the device is not told why the system woke; the event may stay pending',
    mend: 'add _Lxx that notifies the devices of this _PRW with 2',
    check: (model) => {
      const handled = new Set(
        model.objects.flatMap(({ kind, path }) => {
          const event = kind === 'Method' && parentPath(path) === '\\_GPE' ? EVENT.exec(path.slice(-4)) : undefined;
          return event ? [Number.parseInt(event[2], 16)] : [];
        }),
      );
      // Without any method the events are those of a reduced platform or of a block device.
      if (handled.size === 0) return [];
      return model.objects
        .filter(({ path, kind }) => path.endsWith('_PRW') && kind !== 'External')
        .flatMap((object) => {
          const gpe = wakeGpe(model, object.path);
          return gpe === undefined || handled.has(gpe)
            ? []
            : [at(`GPE 0x${gpe.toString(16)} has no method in \\_GPE`, object)];
        });
    },
  },
  {
    id: 'EC-QUERY-PLACE',
    severity: 'warning',
    title: 'Query methods (_Qxx) stand in the embedded controller’s device',
    linux: 'the query is never run',
    windows: 'the query is never run',
    mend: 'move the method into the device with _HID PNP0C09',
    check: (model) =>
      model.objects
        .filter(({ kind, path }) => kind === 'Method' && /^_Q[0-9A-F]{2}$/.test(path.slice(-4)))
        .filter(({ path }) => {
          const parent = model.byPath.get(parentPath(path))?.[0];
          return parent !== undefined && parent.kind !== 'Device' && parent.kind !== 'External';
        })
        .map((object) => at('its parent is no device', object)),
  },
  {
    id: 'SLEEP-STATES',
    severity: 'error',
    title: '\\_S0 to \\_S5 hold packages whose first two values fit SLP_TYP',
    linux: '"ACPI: Sleep state not supported": the state is not offered',
    windows: 'stop 0xA5 (0x0d) without a sound \\_S5',
    mend: 'write Package { SLP_TYPa, SLP_TYPb, 0, 0 } with values 0 to 7',
    check: (model) =>
      [...model.byPath.values()].flatMap(([object]) => {
        if (!/^\\_S[0-5]_$/.test(object.path) || object.kind !== 'Name') return [];
        const elements = elementsOf(plainValue(model, object.path)) ?? [];
        const wrong = elements
          .slice(0, 2)
          .map(constantOf)
          .find((value) => value !== undefined && value > 7n);
        return wrong === undefined ? [] : [at(`SLP_TYP is 0x${wrong.toString(16)}`, object)];
      }),
  },
];

/** The GPE of a plain _PRW, of the FADT's blocks. */
export function wakeGpe(model: LintModel, path: string): number | undefined {
  const [event] = elementsOf(plainValue(model, path)) ?? [];
  const gpe = constantOf(event);
  return gpe === undefined || gpe > 0xffn ? undefined : Number(gpe);
}
