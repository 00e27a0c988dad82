/** What an evaluation does, one event a line: calls, names, region accesses, notifications. */
import { UserError } from '../../shared/errors.ts';
import { formatPath } from '../name-string.ts';
import { REGION_SPACES } from '../opcodes.ts';
import { type AmlObjectJson, objectJson } from './object-text.ts';
import type { AmlObject } from './objects.ts';
import type { ExecutionObserver, RegionEvent } from './observer.ts';

export type TraceEvent =
  | { readonly event: 'call'; readonly path: string; readonly args: readonly AmlObjectJson[] }
  | { readonly event: 'return'; readonly path: string; readonly value: AmlObjectJson }
  | { readonly event: 'fail'; readonly path: string; readonly message: string }
  | { readonly event: 'name'; readonly path: string }
  | { readonly event: 'notify'; readonly path: string; readonly value: string }
  | {
      readonly event: 'read' | 'write' | 'transfer';
      readonly region: string;
      readonly space: string;
      readonly address: string;
      readonly byteLength: number;
      /** A number, or the bytes that a bus gave back. */
      readonly value: AmlObjectJson;
    };

/** Tells `emit` what happens, with the number of invocations around it. */
export function traceObserver(emit: (event: TraceEvent, depth: number) => void): ExecutionObserver {
  let depth = 0;
  return {
    enter: (method, args) => {
      emit({ event: 'call', path: method.displayPath, args: args.map(objectJson) }, depth);
      depth++;
    },
    leave: (method, { value, error }) => {
      depth--;
      const path = method.displayPath;
      if (value) emit({ event: 'return', path, value: objectJson(value) }, depth);
      else emit({ event: 'fail', path, message: error instanceof UserError ? error.message : `${error}` }, depth);
    },
    name: (node) => {
      if (node.object.type !== 'Method') emit({ event: 'name', path: node.displayPath }, depth);
    },
    region: (event) => emit(regionTrace(event), depth),
    notify: (path, value) => emit({ event: 'notify', path, value: hexadecimal(value) }, depth),
  };
}

function regionTrace(event: RegionEvent): TraceEvent {
  const { space, address, region } = event.access;
  const object: AmlObject =
    event.kind === 'transfer' ? { type: 'Buffer', bytes: event.answer } : { type: 'Integer', value: event.value };
  return {
    event: event.kind,
    region: formatPath(region),
    space: spaceName(space),
    address: hexadecimal(address),
    byteLength: event.kind === 'transfer' ? event.answer.length : event.access.byteLength,
    value: objectJson(object),
  };
}

const SPACE_NAMES = new Map<number, string>(Object.entries(REGION_SPACES).map(([name, value]) => [value, name]));
/** `SystemIO`, or `space 0x80` for one of a vendor. */
export const spaceName = (space: number): string => SPACE_NAMES.get(space) ?? `space ${hexadecimal(space)}`;
const hexadecimal = (value: bigint | number): string => `0x${value.toString(16)}`;

/** One line for people. */
export function traceText(event: TraceEvent, depth: number): string {
  return `${'  '.repeat(depth)}${words(event)}`;
}

function words(event: TraceEvent): string {
  switch (event.event) {
    case 'call':
      return `call ${event.path} (${event.args.map(plain).join(', ')})`;
    case 'return':
      return `return ${event.path} = ${plain(event.value)}`;
    case 'fail':
      return `fail ${event.path}: ${event.message}`;
    case 'name':
      return `name ${event.path}`;
    case 'notify':
      return `notify ${event.path} ${event.value}`;
    default:
      return `${event.event} ${event.space} ${event.address} ${event.byteLength} = ${plain(event.value)} (${event.region})`;
  }
}

const plain = (value: AmlObjectJson): string => (typeof value === 'string' ? value : JSON.stringify(value));
