import { type AmlObject, integerObject } from './objects.ts';
import type { Semantics } from './semantics.ts';

/** Strings of Windows, up to 11, as Microsoft lists them ("How to identify the Windows version in ACPI by using _OSI"). */
const WINDOWS_STRINGS: readonly string[] = [
  'Windows 2000',
  'Windows 2001',
  'Windows 2001 SP1',
  'Windows 2001.1',
  'Windows 2001 SP2',
  'Windows 2001.1 SP1',
  'Windows 2006',
  'Windows 2006.1',
  'Windows 2006 SP1',
  'Windows 2006 SP2',
  'Windows 2009',
  'Windows 2012',
  'Windows 2013',
  'Windows 2015',
  'Windows 2016',
  'Windows 2017',
  'Windows 2017.2',
  'Windows 2018',
  'Windows 2018.2',
  'Windows 2019',
  'Windows 2020',
  'Windows 2021',
  'Windows 2022',
];

/** Feature groups (ACPI 6.5 §5.7.2), which ACPICA answers and Windows does not. */
const FEATURE_GROUPS: readonly string[] = [
  'Module Device',
  'Processor Device',
  '3.0 _SCP Extensions',
  'Processor Aggregator Device',
  'Extended Address Space Descriptor',
];

/** Everything that `_OSI` may answer with true. */
export const OSI_STRINGS: readonly string[] = [...WINDOWS_STRINGS, ...FEATURE_GROUPS];

/** What `_OSI` answers with true by default. */
export const osiStrings = ({ osiFeatureGroups }: Semantics): readonly string[] =>
  osiFeatureGroups ? OSI_STRINGS : WINDOWS_STRINGS;

/** Objects that the operating system puts into the namespace before any table (ACPI 6.5 §5.3.1, §5.7). */
export function predefinedObjects(osi: ReadonlySet<string>, all: bigint): readonly (readonly [string, AmlObject])[] {
  const osiMethod: AmlObject = {
    type: 'Method',
    argumentCount: 1,
    serialized: false,
    syncLevel: 0,
    body: ([name]) => integerObject(name?.type === 'String' && osi.has(name.value) ? all : 0n),
  };
  return [
    ['_GPE', { type: 'Scope' }],
    ['_PR_', { type: 'Scope' }],
    ['_SB_', { type: 'Device' }],
    ['_SI_', { type: 'Scope' }],
    ['_TZ_', { type: 'Device' }],
    ['_REV', integerObject(2n)],
    ['_OS_', { type: 'String', value: 'Microsoft Windows NT' }],
    ['_GL_', { type: 'Mutex', syncLevel: 0, held: 0 }],
    ['_OSI', osiMethod],
  ];
}
