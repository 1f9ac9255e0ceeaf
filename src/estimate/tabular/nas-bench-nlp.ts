import { invalid } from '../../common/errors.ts';
import { architectureKey, parseArchitecture } from '../../space/index.ts';
import type { Architecture, Task } from '../../space/space.ts';
import { listedCells, nasBenchNlp } from '../../space/spaces/text/nas-bench-nlp.ts';
import { tableOfColumns } from './columns.ts';
import { type Cells, numberColumn } from './csv.ts';
import type { Table } from './table.ts';

/** WikiText-2: 33,278 words. */
const WIKITEXT_2: Task = {
  kind: 'language-model',
  input: [35],
  positions: [35],
  vocabulary: 33_278,
  outputs: 33_278,
};

/** Of a row whose training has not failed. */
const FINISHED = 'OK';

/** Rows by architecture: an architecture that was trained several times has several. */
export interface NlpRows {
  /** One line for each architecture. */
  readonly architectures: readonly Architecture[];
  rowsOf(architecture: Architecture): readonly number[];
}

/**
 * The rows of a CSV of NAS-Bench-NLP, as the release has them: `recepie_json` and `status`. Throws UserError, with the line, for a
 * recipe that is none, and where columns are absent.
 */
export function nlpRows(place: string, cells: Cells): NlpRows {
  const space = nasBenchNlp.create(WIKITEXT_2);
  const [recipes, states] = ['recepie_json', 'status'].map((name) => columnOf(place, cells, name));
  const rows = new Map<string, { readonly architecture: Architecture; readonly rows: number[] }>();
  for (let row = 0; row < cells.rows; row++) {
    if (states?.[row] !== FINISHED) continue;
    const architecture = parseArchitecture(space, recipes?.[row] ?? '');
    const key = architectureKey(architecture);
    const known = rows.get(key) ?? { architecture, rows: [] };
    known.rows.push(row);
    rows.set(key, known);
  }
  return {
    architectures: [...rows.values()].map(({ architecture }) => architecture),
    rowsOf: (architecture) => rows.get(architectureKey(architecture))?.rows ?? [],
  };
}

/** A column of numbers of which each architecture has the mean; of rows whose training failed, nothing is read. */
export function meansOf(place: string, cells: Cells, { architectures, rowsOf }: NlpRows, name: string): Float64Array {
  const kept = architectures.flatMap(rowsOf);
  const text = columnOf(place, cells, name);
  const only: Cells = {
    ...cells,
    rows: kept.length,
    lines: kept.map((row) => cells.lines[row] ?? 0),
    columns: [{ name, cells: kept.map((row) => text[row] ?? '') }],
  };
  const values = numberColumn(place, only, name);
  let at = 0;
  return Float64Array.from(architectures, (one) => {
    const count = rowsOf(one).length;
    const own = values.subarray(at, at + count);
    at += count;
    return own.reduce((sum, value) => sum + value, 0) / count;
  });
}

/**
 * NAS-Bench-NLP (Klyuchnikov et al. 2022) of a CSV of its release: cells trained for 50 epochs on WikiText-2; loss and perplexity on validation
 * samples at the best epoch. Cells that are alike but for names and order are one, with the mean of their rows; trainings that failed
 * are not there. Members of its space are the cells of the table alone (`listedCells`). Throws UserError as `nlpRows` and `numberColumn`.
 */
export function nasBenchNlpOf(place: string, cells: Cells): Table {
  const rows = nlpRows(place, cells);
  const column = (name: string) => meansOf(place, cells, rows, name);
  const [epochs, perEpoch] = [column('epochs_run'), column('seconds_per_epoch')];
  const numbers = new Map(rows.architectures.map((one, i) => [architectureKey(one), i]));
  return tableOfColumns({
    name: 'nas-bench-nlp',
    space: listedCells(nasBenchNlp.create(WIKITEXT_2), rows.architectures),
    fidelity: { epochs: 50, data: 1, resolution: 1, width: 1 },
    objectives: [{ metric: 'loss', direction: 'minimize', unit: 'nats' }],
    size: rows.architectures.length,
    architectures: rows.architectures,
    rowOf: (architecture) => numbers.get(architectureKey(architecture)),
    datasets: {
      'wikitext-2': {
        metrics: { loss: column('val_loss'), perplexity: column('val_ppl') },
        seconds: epochs.map((count, i) => count * (perEpoch[i] ?? 0)),
      },
    },
    costs: { params: column('num_params') },
  });
}

function columnOf(place: string, { columns }: Cells, name: string): readonly string[] {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found.cells;
  const names = columns.map((column) => column.name).join(', ');
  throw invalid(
    `${place}, line 1`,
    `there is no column "${name}"`,
    `a table of NAS-Bench-NLP has one; the columns are ${names}`,
  );
}
