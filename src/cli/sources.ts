import { UserError } from '../shared/errors.ts';
import { readFileBytes } from './files.ts';

/** A server that says nothing for this long is taken as unreachable, milliseconds. */
const URL_TIMEOUT = 30_000;

/**
 * The bytes of a file, or of an http or https URL.
 * @throws UserError FILE_READ, URL_UNREACHABLE, URL_STATUS
 */
export async function readSource(source: string): Promise<Uint8Array> {
  if (!/^https?:\/\//i.test(source)) return readFileBytes(source);
  // Loaded for URLs only: it brings much of Node's network along.
  const { default: fetch } = await import('node-fetch');
  const response = await fetch(source, { signal: AbortSignal.timeout(URL_TIMEOUT) }).catch((error: Error) => {
    throw new UserError('URL_UNREACHABLE', `nothing answers: ${error.message}`, {
      place: { file: source },
      mend: 'check the address and the network, or download the file and name its path',
      cause: error,
    });
  });
  if (!response.ok) {
    throw new UserError('URL_STATUS', `the server answers ${response.status} ${response.statusText}`, {
      place: { file: source },
      mend: 'check the address, or download the file and name its path',
    });
  }
  return new Uint8Array(await response.arrayBuffer());
}
