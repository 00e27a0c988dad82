/** Where a user's mistake stands: each part is optional, the message prints those that are there. */
export interface ErrorPlace {
  /** A file, an option or a URL. */
  readonly file?: string;
  /** Byte offset in `file`. */
  readonly offset?: number;
  /** Line in `file`, from 1. */
  readonly line?: number;
  /** An ACPI namespace path, a topology path or a device id. */
  readonly path?: string;
  /** bus:device.function as text. */
  readonly bdf?: string;
}

/**
 * A user's mistake: what is wrong, where, and the mend. Commands print it without a stack trace and exit with `exitCode`.
 * A *guest's* mistake is never one of these: devices log it and answer with the bus default.
 */
export class UserError extends Error {
  /** Stable identifier, `AREA_WHAT`, for scripts and tests. */
  readonly code: string;
  readonly place: ErrorPlace;
  /** One sentence that says what to change. */
  readonly mend: string;
  readonly exitCode = 2;

  constructor(code: string, message: string, options: { place?: ErrorPlace; mend: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'UserError';
    this.code = code;
    this.place = options.place ?? {};
    this.mend = options.mend;
  }
}

/** `file:line` or `file+0xoffset`, then path and bdf: the parts of `place` that are there. */
export function formatPlace(place: ErrorPlace): string {
  const parts: string[] = [];
  if (place.file !== undefined) {
    const line = place.line === undefined ? '' : `:${place.line}`;
    const offset = place.offset === undefined ? '' : `+0x${place.offset.toString(16)}`;
    parts.push(`${place.file}${line}${offset}`);
  }
  if (place.path !== undefined) parts.push(place.path);
  if (place.bdf !== undefined) parts.push(place.bdf);
  return parts.join(', ');
}
