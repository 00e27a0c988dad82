import { UserError } from '../../../shared/errors.ts';
import { BASE_FEATURES, CPU_FEATURES, type CpuFeature, FEATURE_ALIASES, REQUIRED_FEATURES } from './features.ts';

/** What a processor can do: decoding, CPUID and the control registers follow from it. */
export interface CpuModel {
  readonly name: string;
  readonly features: ReadonlySet<CpuFeature>;
}

const BASE: readonly CpuFeature[] = BASE_FEATURES;
const V2: readonly CpuFeature[] = [...BASE, 'sse3', 'ssse3', 'sse4.1', 'sse4.2', 'popcnt'];
/** x86-64 psABI, table 3.1: micro-architecture levels. */
const V3: readonly CpuFeature[] = [...V2, 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'lzcnt', 'movbe', 'xsave'];
const ALL = Object.keys(CPU_FEATURES) as CpuFeature[];

const MODELS: Readonly<Record<string, readonly CpuFeature[]>> = {
  qemu64: [...BASE, 'sse3'],
  'x86-64-v1': BASE,
  'x86-64-v2': V2,
  'x86-64-v3': V3,
  max: ALL,
};

/** Names that `parseCpuModel` knows. */
export const CPU_MODEL_NAMES: readonly string[] = Object.keys(MODELS);
/** Features that a model may gain or lose. */
export const OPTIONAL_FEATURES: readonly CpuFeature[] = ALL.filter((feature) => !BASE.includes(feature));

export const DEFAULT_CPU_MODEL: CpuModel = { name: 'x86-64-v1', features: new Set(BASE) };
export const MAX_CPU_MODEL: CpuModel = { name: 'max', features: new Set(ALL) };

/**
 * A processor from `MODEL[,+feature|,-feature…]`. A feature brings what it requires, and takes what requires it along when it goes.
 * @throws UserError CPU_MODEL, CPU_FEATURE with the names there are
 */
export function parseCpuModel(text: string): CpuModel {
  const [name, ...changes] = text.split(',').map((part) => part.trim());
  const features = MODELS[name];
  if (features === undefined) {
    throw new UserError('CPU_MODEL', `there is no processor model '${name}'`, {
      place: { file: `--cpu ${text}` },
      mend: `write one of ${CPU_MODEL_NAMES.join(', ')}`,
    });
  }
  const set = new Set(features);
  for (const change of changes) {
    const feature = featureOf(change, text);
    if (change.startsWith('+')) add(set, feature);
    else remove(set, feature);
  }
  return { name: text, features: set };
}

function featureOf(change: string, text: string): CpuFeature {
  const name = change.slice(1);
  const feature = FEATURE_ALIASES[name] ?? (name as CpuFeature);
  if (/^[+-]/.test(change) && OPTIONAL_FEATURES.includes(feature)) return feature;
  throw new UserError('CPU_FEATURE', `'${change}' adds or removes no processor feature`, {
    place: { file: `--cpu ${text}` },
    mend: `write + or - before one of ${OPTIONAL_FEATURES.join(', ')}`,
  });
}

function add(set: Set<CpuFeature>, feature: CpuFeature): void {
  set.add(feature);
  for (const required of REQUIRED_FEATURES[feature] ?? []) add(set, required);
}

function remove(set: Set<CpuFeature>, feature: CpuFeature): void {
  set.delete(feature);
  for (const other of ALL) if (set.has(other) && REQUIRED_FEATURES[other]?.includes(feature)) remove(set, other);
}
