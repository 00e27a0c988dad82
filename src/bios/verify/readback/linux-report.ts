import { GUEST_MARKER } from '../../boot/linux-init.ts';
import { readTar } from './tar.ts';

/** What our init reported from inside Linux. */
export class LinuxReport {
  private readonly files: ReadonlyMap<string, Uint8Array>;

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.files = files;
  }

  bytes(name: string): Uint8Array | undefined {
    return this.files.get(name);
  }

  /** A text file without the newline at its end; empty when the guest did not have it. */
  text(name: string): string {
    return new TextDecoder().decode(this.files.get(name) ?? new Uint8Array(0)).trimEnd();
  }

  lines(name: string): string[] {
    const text = this.text(name);
    return text === '' ? [] : text.split('\n');
  }

  /** Names below `folder/`, without it. */
  list(folder: string): string[] {
    const prefix = `${folder}/`;
    return [...this.files.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  /** Kernel messages without their time stamps. */
  get messages(): string[] {
    return this.lines('dmesg').map((line) => line.replace(/^\[\s*[\d.]+\] /, ''));
  }
}

/** Either the report, or in one sentence why there is none. */
export type Extraction = { readonly report: LinuxReport } | { readonly failure: string };

async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function lastLine(serial: string): string {
  const lines = serial.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? 'the serial port stayed silent' : `the last line was: ${lines[lines.length - 1].trim()}`;
}

/** Finds the report in what the guest wrote to its serial port, and unpacks it. */
export async function extractLinuxReport(serialBytes: string): Promise<Extraction> {
  const serial = serialBytes.replaceAll('\r', '');
  if (!serial.includes(GUEST_MARKER.BEGIN)) return { failure: `init did not start; ${lastLine(serial)}` };
  const header = new RegExp(`^${GUEST_MARKER.REPORT} (\\d+) ([0-9a-f]{64})$`, 'm').exec(serial);
  if (header === null) return { failure: `init did not report; ${lastLine(serial)}` };
  const start = header.index + header[0].length;
  const end = serial.indexOf(`\n${GUEST_MARKER.END}`, start);
  const base64 = serial.slice(start, end < 0 ? undefined : end).replace(/[^A-Za-z0-9+/=]/g, '');
  const wanted = Number(header[1]);
  if (end < 0) return { failure: `the report is cut short: ${Math.floor((base64.length * 3) / 4)} of ${wanted} bytes` };
  let packed: Uint8Array;
  try {
    packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return { failure: 'the report is damaged: it is not base64' };
  }
  const sum = await sha256(packed);
  if (packed.length !== wanted || sum !== header[2]) {
    return {
      failure: `the report is damaged: ${packed.length} of ${wanted} bytes, SHA-256 ${sum}, announced ${header[2]}`,
    };
  }
  return { report: new LinuxReport(readTar(await gunzip(packed))) };
}
