/**
 * The notation of the space `macro`: the layers, each with its kind, its width and the layers that it reads, joined by `+` where it adds
 * them and by `&` where it concatenates them; behind a bar the other decisions.
 * `conv3x3:1<-0, attention:2<-0+1, dense:1<-1&2 | halving1=middle, activation=relu, pool=average, head=none, dropout=0`
 */
import { invalid } from '../../../common/errors.ts';
import type { Architecture, DecisionValue, TextForm } from '../../space.ts';
import { formatValue } from '../../tree/domain.ts';
import type { Ground } from './ground.ts';
import { layersOf } from './layers.ts';
import { combineOf, isOfLayer, kindOf, plannedLayers, readOf, widthOf } from './plan.ts';

const [ADD, CONCAT] = ['+', '&'] as const;
const FORM = 'KIND:WIDTH<-NUMBERS, as in conv3x3:1<-0+1';

/** `isCounted`: whether the number of layers is a decision. */
export function macroText({ rank }: Ground, isCounted: boolean): TextForm {
  const kinds = Object.keys(layersOf(rank));
  return {
    format(architecture) {
      const layers = plannedLayers(architecture).map(({ kind, width, reads, combine }) => {
        const list = reads.join(combine === 'concat' ? CONCAT : ADD);
        return `${kind}:${width}<-${list}`;
      });
      const others = Object.entries(architecture).filter(([name]) => !isOfLayer(name));
      return `${layers.join(', ')} | ${others.map(([name, value]) => `${name}=${shown(value)}`).join(', ')}`;
    },
    parse(text) {
      const place = `architecture "${text.length > 60 ? `${text.slice(0, 60)}...` : text}"`;
      const [first = '', rest = '', ...more] = text.split('|');
      if (more.length > 0) throw invalid(place, 'has more than one bar', 'must be LAYERS | DECISION=VALUE, ...');
      const found: Record<string, DecisionValue> = {};
      const written = first.split(',').map((part) => part.trim());
      if (isCounted) found.layers = String(written.length);
      for (const [i, part] of written.entries()) readLayer(part, i + 1, kinds, place, found);
      for (const part of rest.split(',').map((one) => one.trim())) {
        if (part === '') continue;
        const at = part.indexOf('=');
        if (at < 1) throw invalid(place, `"${part}" stands behind the bar`, 'must be DECISION=VALUE');
        found[part.slice(0, at).trim()] = decisionValue(part.slice(at + 1).trim());
      }
      return found;
    },
  };
}

const shown = (value: Architecture[string] | undefined) => formatValue(value as DecisionValue);

/** Texts of these decisions are never numbers. */
function decisionValue(text: string): DecisionValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function readLayer(
  part: string,
  layer: number,
  kinds: readonly string[],
  place: string,
  found: Record<string, DecisionValue>,
): void {
  const [, kind = '', width, list] = /^(\w+):(\d+(?:\.\d+)?)<-(\d+(?:[+&]\d+)*)$/u.exec(part) ?? [];
  if (list === undefined) throw invalid(place, `layer ${layer} is "${part}"`, `must be ${FORM}`);
  if (!kinds.includes(kind)) throw invalid(place, `layer ${layer} is "${kind}"`, `must be one of ${kinds.join(', ')}`);
  const reads = list.split(/[+&]/u).map(Number);
  if (!reads.every((from, k) => from < layer && (k === 0 || from > (reads[k - 1] ?? from))))
    throw invalid(place, `layer ${layer} reads "${list}"`, `must be different numbers below ${layer}, rising`);
  if (list.includes(ADD) && list.includes(CONCAT))
    throw invalid(
      place,
      `layer ${layer} reads "${list}"`,
      `must be joined by ${ADD} (added) or by ${CONCAT} (concatenated)`,
    );
  if (kinds.length > 1) found[kindOf(layer)] = kind;
  found[widthOf(layer)] = Number(width);
  if (layer === 1) return;
  for (let from = 0; from < layer; from++) found[readOf(from, layer)] = reads.includes(from) ? 'read' : 'none';
  found[combineOf(layer)] = list.includes(CONCAT) ? 'concat' : 'add';
}
