import { UserError } from '../../shared/errors.ts';
import type { AmlInterpreter } from '../interpreter/interpreter.ts';
import type { NamespaceNode } from '../interpreter/namespace-tree.ts';
import type { RegionEvent } from '../interpreter/observer.ts';
import { spaceName } from '../interpreter/trace.ts';
import { REGION_SPACES } from '../opcodes.ts';
import type { AmlTerm } from '../tree.ts';
import { listMethod } from './listing.ts';

/** Where execution stops: in front of a statement, behind an access to a region, or where something fails. */
export type Breakpoint =
  | { readonly kind: 'statement'; readonly words: string; readonly term: AmlTerm }
  | { readonly kind: 'region'; readonly words: string; readonly hits: (event: RegionEvent) => boolean }
  | { readonly kind: 'error'; readonly words: string };

const SYNTAX = 'write break PATH, break PATH:OFFSET, break region PATH, break region SPACE[:ADDRESS], or break error';

/** Reads what stands behind `break`. Throws `AML_BREAKPOINT`. */
export function parseBreakpoint(interpreter: AmlInterpreter, words: string): Breakpoint {
  if (words === 'error') return { kind: 'error', words };
  const region = /^region\s+(\S+)$/.exec(words);
  if (region) return { kind: 'region', words, hits: regionTest(region[1]) };
  const statement = /^(\\?[\w.^\\]+?)(?::(?:0x)?([0-9a-f]+))?$/i.exec(words);
  if (!statement) throw breakpointError(`"${words}" is no place to stop`);
  return { kind: 'statement', words, term: statementAt(interpreter, statement[1], statement[2]) };
}

/** The first statement of a method, or the one that holds the byte at `offset` of its table. */
function statementAt(interpreter: AmlInterpreter, path: string, offset: string | undefined): AmlTerm {
  const node = interpreter.node(path);
  const rows = node ? listMethod(interpreter, node) : [];
  if (rows.length === 0) throw breakpointError(`${path} is no method with statements`);
  if (offset === undefined) return rows[0].term;
  const wanted = Number.parseInt(offset, 16);
  const row = rows.findLast((candidate) => (candidate.offset ?? Number.POSITIVE_INFINITY) <= wanted);
  if (!row) throw breakpointError(`${path} begins behind 0x${offset}`);
  return row.term;
}

function regionTest(text: string): (event: RegionEvent) => boolean {
  const [name, address] = text.split(':');
  const space = Object.keys(REGION_SPACES).find((known) => known.toLowerCase() === name.toLowerCase());
  if (space !== undefined) {
    const wanted = address === undefined ? undefined : BigInt(address.startsWith('0x') ? address : `0x${address}`);
    return ({ access }) => spaceName(access.space) === space && (wanted === undefined || access.address === wanted);
  }
  if (!name.startsWith('\\')) throw breakpointError(`"${text}" is no address space and no absolute path`);
  const wanted = plainPath(name);
  return ({ access }) => plainPath(access.region) === wanted;
}

/** A path without the padding of its segments. */
const plainPath = (path: string): string => path.replace(/_+(?=\.|$)/g, '').toUpperCase();

/** A method or any node by the path as ASL writes it. Throws `AML_NOT_FOUND`. */
export function nodeAt(interpreter: AmlInterpreter, path: string): NamespaceNode {
  const node = interpreter.node(path);
  if (node) return node;
  throw new UserError('AML_NOT_FOUND', `${path} is declared nowhere`, { place: { path }, mend: 'see `tree`' });
}

const breakpointError = (message: string): UserError => new UserError('AML_BREAKPOINT', message, { mend: SYNTAX });
