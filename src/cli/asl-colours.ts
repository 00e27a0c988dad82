import { styleText } from 'node:util';

const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/;
const STRING = /"(?:[^"\\\n]|\\.)*"/;
const OPERATOR = /\b[A-Z][A-Za-z0-9]*(?= \()|\b(?:Else|Zero|One|Ones|Break|Continue|Noop)\b/;
const PIECES = new RegExp(`(${COMMENT.source})|(${STRING.source})|(${OPERATOR.source})`, 'g');

/** ASL for a terminal: comments grey, strings green, operators cyan. */
export function colouredAsl(text: string): string {
  const style = (colour: 'gray' | 'green' | 'cyan', piece: string) =>
    // Each line by itself: a pager may show it without those before.
    piece
      .split('\n')
      .map((line) => styleText(colour, line, { validateStream: false }))
      .join('\n');
  return text.replace(PIECES, (piece, comment?: string, string?: string) => {
    if (comment !== undefined) return style('gray', piece);
    return style(string === undefined ? 'cyan' : 'green', piece);
  });
}

/** True where people read and want colours: a terminal, unless NO_COLOR is set. */
export const wantsColours = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true && stream.hasColors() && !process.env.NO_COLOR;
