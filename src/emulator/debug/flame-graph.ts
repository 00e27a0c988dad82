/** A call path from the outermost frame in, and what was measured for it. */
export interface FlameStack {
  readonly frames: readonly string[];
  readonly value: number;
}

interface FlameNode {
  readonly name: string;
  value: number;
  readonly children: Map<string, FlameNode>;
}

const WIDTH = 1200;
const ROW = 18;
const MARGIN = 10;
const TITLE = 40;
/** Narrower boxes cannot be seen, pixels. */
const NARROWEST = 0.3;
const CHARACTER = 6.6;

/** A flame graph as SVG: width is the share, hovering tells the figure. The same stacks give the same picture. */
export function flameGraph(title: string, unit: string, stacks: readonly FlameStack[]): string {
  const root: FlameNode = { name: 'all', value: 0, children: new Map() };
  for (const { frames, value } of stacks) addStack(root, frames, value);
  const depth = depthOf(root);
  const height = TITLE + (depth + 1) * ROW + MARGIN;
  const boxes: string[] = [];
  drawNode(boxes, root, { x: MARGIN, level: 0, total: root.value, height, unit });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fffaf0"/>`,
    `<text x="${WIDTH / 2}" y="24" text-anchor="middle" font-size="16">${escapeXml(title)}</text>`,
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
}

function addStack(root: FlameNode, frames: readonly string[], value: number): void {
  let node = root;
  node.value += value;
  for (const name of frames) {
    let child = node.children.get(name);
    if (child === undefined) {
      child = { name, value: 0, children: new Map() };
      node.children.set(name, child);
    }
    child.value += value;
    node = child;
  }
}

function depthOf(node: FlameNode): number {
  return Math.max(0, ...[...node.children.values()].map((child) => 1 + depthOf(child)));
}

interface Drawing {
  readonly x: number;
  readonly level: number;
  readonly total: number;
  readonly height: number;
  readonly unit: string;
}

function drawNode(boxes: string[], node: FlameNode, at: Drawing): void {
  const width = at.total === 0 ? 0 : ((WIDTH - 2 * MARGIN) * node.value) / at.total;
  if (width < NARROWEST) return;
  const y = at.height - MARGIN - (at.level + 1) * ROW;
  const share = `${((100 * node.value) / at.total).toFixed(1)} %`;
  const room = Math.floor((width - 4) / CHARACTER);
  const label = node.name.length <= room ? node.name : room > 3 ? `${node.name.slice(0, room - 1)}…` : '';
  boxes.push(
    `<g><title>${escapeXml(node.name)}: ${Math.round(node.value).toLocaleString('en')} ${escapeXml(at.unit)}, ${share}</title>` +
      `<rect x="${at.x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${color(node.name)}" rx="2"/>` +
      `<text x="${(at.x + 3).toFixed(1)}" y="${y + 12}">${escapeXml(label)}</text></g>`,
  );
  let x = at.x;
  for (const child of [...node.children.values()].sort(byValue)) {
    drawNode(boxes, child, { ...at, x, level: at.level + 1 });
    x += ((WIDTH - 2 * MARGIN) * child.value) / at.total;
  }
}

function byValue(left: FlameNode, right: FlameNode): number {
  return right.value - left.value || (left.name < right.name ? -1 : 1);
}

/** A warm color that depends on the name alone. */
function color(name: string): string {
  let hash = 0;
  for (let index = 0; index < name.length; index++) hash = (Math.imul(hash, 31) + name.charCodeAt(index)) | 0;
  return `hsl(${(hash >>> 0) % 50}, 80%, ${66 + ((hash >>> 8) % 12)}%)`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
