import { UserError } from '../../shared/errors.ts';

/** Why an evaluation stopped; the names are ACPICA's, which operating systems print. */
export type EvaluationFault =
  | 'AE_NOT_FOUND'
  | 'AE_ALREADY_EXISTS'
  | 'AE_TYPE'
  | 'AE_AML_OPERAND_TYPE'
  | 'AE_AML_NUMERIC_OVERFLOW'
  | 'AE_AML_UNINITIALIZED_LOCAL'
  | 'AE_AML_UNINITIALIZED_ARG'
  | 'AE_AML_UNINITIALIZED_ELEMENT'
  | 'AE_AML_DIVIDE_BY_ZERO'
  | 'AE_AML_PACKAGE_LIMIT'
  | 'AE_AML_BUFFER_LIMIT'
  | 'AE_AML_STRING_LIMIT'
  | 'AE_AML_REGION_LIMIT'
  | 'AE_AML_NO_RETURN_VALUE'
  | 'AE_AML_METHOD_LIMIT'
  | 'AE_AML_LOOP_TIMEOUT'
  | 'AE_AML_MUTEX_NOT_ACQUIRED'
  | 'AE_AML_MUTEX_ORDER'
  | 'AE_AML_CIRCULAR_REFERENCE'
  | 'AE_AML_INVALID_RESOURCE_TYPE'
  | 'AE_AML_NO_RESOURCE_END_TAG'
  | 'AE_NO_MEMORY'
  | 'AE_LIMIT'
  | 'AE_TIME'
  | 'AE_BAD_HEADER'
  | 'AE_AML_BAD_OPCODE'
  | 'AE_BAD_PARAMETER'
  | 'AE_SUPPORT';

const MENDS: Partial<Record<EvaluationFault, string>> = {
  AE_NOT_FOUND: 'load the table that declares the name, or correct the path',
  AE_AML_METHOD_LIMIT: 'methods call one another without end: correct the recursion',
  AE_AML_LOOP_TIMEOUT:
    'the loop waits for hardware that is not there: give a region handler, or raise the limit of steps',
  AE_AML_MUTEX_ORDER: 'acquire mutexes in the order of their sync levels and release them in the opposite one',
  AE_NO_MEMORY: 'the method makes objects without end: correct its loop, or raise the limit of bytes',
  AE_TIME: 'nobody signals the event while the method waits: give Wait a timeout',
  AE_AML_REGION_LIMIT: 'the field lies outside its operation region: correct the offset or the length',
  AE_SUPPORT: 'give a region handler for this address space',
};

/** A typed error of the interpreter: `code` is `AML_` and the fault's name without `AE_`. */
export function evaluationError(fault: EvaluationFault, message: string, path?: string): UserError {
  return new UserError(fault.replace(/^AE_(AML_)?/, 'AML_'), `${fault}: ${message}`, {
    place: path === undefined ? {} : { path },
    mend: MENDS[fault] ?? 'correct the AML that this path runs',
  });
}
