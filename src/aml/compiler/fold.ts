/** Constant expressions: computed by the interpreter's own operators, so that both always agree. */
import { UserError } from '../../shared/errors.ts';
import { ARITHMETIC } from '../interpreter/arithmetic.ts';
import { Budget, DEFAULT_LIMITS } from '../interpreter/budget.ts';
import { type IntegerBytes, maskOf, toInteger } from '../interpreter/conversions.ts';
import { OBJECT_OPERATORS } from '../interpreter/object-operators.ts';
import { type AmlObject, integerObject } from '../interpreter/objects.ts';
import type { Frame, Run } from '../interpreter/run.ts';
import { SPEC_SEMANTICS } from '../interpreter/semantics.ts';
import { ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef, DefTerm, OperandValue } from '../tree.ts';

export type { IntegerBytes } from '../interpreter/conversions.ts';

/** Rows with side effects or results that only a running machine knows; Index gives a reference. */
const NEVER: ReadonlySet<string> = new Set([
  'DefIncrement',
  'DefDecrement',
  'DefBuffer',
  'DefPackage',
  'DefVarPackage',
  'DefStore',
  'DefCopyObject',
  'DefRefOf',
  'DefCondRefOf',
  'DefDerefOf',
  'DefIndex',
  'DefObjectType',
  'DefSizeOf',
  'DefMatch',
]);
const OPERATORS: Readonly<Record<string, (run: Run, def: never, frame: Frame) => AmlObject>> = {
  ...ARITHMETIC,
  ...OBJECT_OPERATORS,
};
/** Conversions replace the target instead of converting to its type: CopyObject does the same. */
const CONVERSIONS: ReadonlySet<string> = new Set([
  'DefToInteger',
  'DefToString',
  'DefToBuffer',
  'DefToDecimalString',
  'DefToHexString',
  'DefToBCD',
  'DefFromBCD',
]);

/** Rows that iasl leaves for the machine when their result is stored. */
const NEVER_STORED: ReadonlySet<string> = new Set(['DefMid', 'DefToBuffer']);

const NOWHERE: OperandValue = { kind: 'NameString', path: '' };
const isNull = (value: OperandValue): boolean =>
  typeof value === 'object' && 'kind' in value && value.kind === 'NameString' && value.path === '';

/** Operators that stay as they are written, and with them what stands around them. */
type Verbatim = { has(term: AmlTerm): boolean };
const NOTHING: Verbatim = new Set();

/** True for an operator whose operands are all constants or such operators. */
export function isFoldable(term: AmlTerm, verbatim = NOTHING): boolean {
  if (!isOperator(term) || verbatim.has(term)) return false;
  if (NEVER_STORED.has(term.kind) && !isNull((term as AnyDef).operands.at(-1)!)) return false;
  return sources(term).every((operand) => isConstant(operand) || isFoldable(operand, verbatim));
}

const isOperator = (term: AmlTerm): term is DefTerm => term.kind in OPERATORS && !NEVER.has(term.kind);
const isConstant = ({ kind }: AmlTerm): boolean => kind === 'Integer' || kind === 'String' || kind === 'Ones';

/** The operands that are read. */
function sources(term: DefTerm): AmlTerm[] {
  const row = ROW_BY_KIND.get(term.kind)!;
  return (term as AnyDef).operands.filter((_, index) => row.operands[index] !== 'Target') as AmlTerm[];
}

/**
 * `term` as the constant that it always gives, as a Store of it where it has a target, or unchanged. An expression that cannot be
 * computed, such as a division by zero, stays as it is.
 */
export function fold(term: AmlTerm, integerBytes: IntegerBytes, verbatim = NOTHING): AmlTerm {
  if (!isOperator(term) || !isFoldable(term, verbatim)) return term;
  const row = ROW_BY_KIND.get(term.kind)!;
  const { operands } = term as AnyDef;
  const targets = operands.filter(
    (operand, index) => row.operands[index] === 'Target' && !isNull(operand),
  ) as AmlTerm[];
  // Divide with its remainder has two results.
  if (targets.length > 1 || (term.kind === 'DefDivide' && !isNull(operands[2]))) return term;
  const bare = {
    kind: term.kind,
    operands: operands.map((operand, index) => (row.operands[index] === 'Target' ? NOWHERE : operand)),
  } as unknown as AmlTerm;
  const value = computed(bare, integerBytes);
  if (!value) return term;
  const [target] = targets;
  if (!target) return value;
  const kind = CONVERSIONS.has(term.kind) ? 'DefCopyObject' : 'DefStore';
  return { kind, operands: [value, target] } as DefTerm;
}

function computed(term: AmlTerm, integerBytes: IntegerBytes): AmlTerm | undefined {
  try {
    return termOf(evaluate(term, constantRun(integerBytes)));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function evaluate(term: AmlTerm, run: Run): AmlObject {
  switch (term.kind) {
    case 'Integer':
      return integerObject(term.value & run.all);
    case 'Ones':
      return integerObject(run.all);
    case 'String':
      return { type: 'String', value: term.value };
    default:
      return OPERATORS[term.kind](run, term as never, undefined as never);
  }
}

type ConstantRun = Pick<
  Run,
  'integerBytes' | 'all' | 'semantics' | 'budget' | 'evaluate' | 'data' | 'integer' | 'store' | 'copyTo' | 'copy'
>;

/** As much of an interpreter as constants need: nothing is stored, nothing has a name. */
function constantRun(integerBytes: IntegerBytes): Run {
  const value = (term: AmlTerm): AmlObject => evaluate(term, run as Run);
  const run: ConstantRun = {
    integerBytes,
    all: maskOf(integerBytes),
    semantics: SPEC_SEMANTICS,
    budget: new Budget(DEFAULT_LIMITS),
    evaluate: value,
    data: value,
    integer: (term) => toInteger(value(term), integerBytes),
    store: (_, object) => object,
    copyTo: () => {},
    copy: (object) => object,
  };
  return run as Run;
}

function termOf(object: AmlObject): AmlTerm | undefined {
  switch (object.type) {
    case 'Integer':
      return { kind: 'Integer', value: object.value };
    case 'String':
      return { kind: 'String', value: object.value };
    case 'Buffer': {
      const size: AmlTerm = { kind: 'Integer', value: BigInt(object.bytes.length) };
      return { kind: 'DefBuffer', operands: [size, object.bytes] };
    }
    default:
      return undefined;
  }
}
