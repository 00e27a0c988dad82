/** The macros of pins and pin groups: ACPI 6.5 §19.6.104 to §19.6.108. */
import { SHARE_TYPES, USAGES } from '../resources/descriptor.ts';
import { GPIO_PULLS } from '../resources/gpio.ts';
import type { MacroArguments, MacroParser } from './resource-macros.ts';

/** A keyword, or a vendor's number. */
export const pullAt = (args: MacroArguments, index: number) =>
  args.maybeKeyword(index, GPIO_PULLS) ?? args.number(index, 0);

/** The tail of the pin macros, from the ResourceSource on. */
const pinTail = (args: MacroArguments, index: number) => ({
  source: args.text(index) ?? '',
  sourceIndex: args.number(index + 1, 0),
  pins: args.list,
  vendorData: args.raw(index + 4),
});

/** The tail of the macros that refer to a PinGroup, from the ResourceSource on. */
const pinGroupTail = (args: MacroArguments, index: number) => ({
  source: args.text(index) ?? '',
  sourceIndex: args.number(index + 1, 0),
  label: args.text(index + 2) ?? '',
  usage: args.keyword(index + 3, USAGES, 'ResourceConsumer'),
  vendorData: args.raw(index + 5),
});

export const PIN_MACROS: Readonly<Record<string, MacroParser>> = {
  PinFunction: (args) => ({
    kind: 'PinFunction',
    share: args.keyword(0, SHARE_TYPES),
    pull: pullAt(args, 1),
    functionNumber: args.number(2),
    ...pinTail(args, 3),
  }),
  PinConfig: (args) => ({
    kind: 'PinConfig',
    share: args.keyword(0, SHARE_TYPES),
    usage: args.keyword(5, USAGES, 'ResourceConsumer'),
    configType: args.number(1),
    configValue: args.number(2),
    ...pinTail(args, 3),
  }),
  PinGroup: (args) => ({
    kind: 'PinGroup',
    label: args.text(0) ?? '',
    usage: args.keyword(1, USAGES, 'ResourceProducer'),
    pins: args.list,
    vendorData: args.raw(3),
  }),
  PinGroupFunction: (args) => ({
    kind: 'PinGroupFunction',
    share: args.keyword(0, SHARE_TYPES),
    functionNumber: args.number(1),
    ...pinGroupTail(args, 2),
  }),
  PinGroupConfig: (args) => ({
    kind: 'PinGroupConfig',
    share: args.keyword(0, SHARE_TYPES),
    configType: args.number(1),
    configValue: args.number(2),
    ...pinGroupTail(args, 3),
  }),
};
