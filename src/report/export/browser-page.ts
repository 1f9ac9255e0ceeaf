import { taskOf } from '../../task/index.ts';
import type { TaskData } from '../../task/task.ts';

/** The release of onnxruntime-web that the page has been tried with (bench/parity/browser.ts). */
export const ORT_WEB = 'https://cdn.jsdelivr.net/npm/onnxruntime-web@1.30.0/dist/ort.wasm.min.mjs';

/** A whole HTML page that runs an exported model: how a browser feeds it, by the model.json beside it. */
export function browserPage(data: TaskData & { readonly kind: string }, hasColumns: boolean, file: string): string {
  const isImage = data.input.length === 3;
  const [output = ''] = Object.keys(taskOf(data).spec(data).outputs);
  const form = isImage
    ? '<input type="file" accept="image/*">'
    : `<textarea rows="3" cols="60">${hasColumns ? '{ "column": "value" }' : `[${data.input.join('')} values]`}</textarea> <button>Predict</button>`;
  return `<!doctype html>
<meta charset="utf-8">
${form}
<pre></pre>
<script type="module">
  import * as ort from '${ORT_WEB}';

  const about = await (await fetch('${file.replace(/\.onnx$/i, '')}.json')).json();
  const session = await ort.InferenceSession.create('${file}');
  const { preprocessing } = about;

${isImage ? IMAGE : hasColumns ? TABLE : VALUES}
  async function predict(input) {
    const data = await features(input);
    const shape = [1, ...about.inputs[0].shape.slice(1)];
    const { ${output} } = await session.run({ input: new ort.Tensor('float32', data, shape) });
    const offset = preprocessing.labelOffset ?? 0;
    return Object.fromEntries(about.labels.map((label, i) => [label, ${output}.data[i] + offset]));
  }

  const show = async (input) => {
    document.querySelector('pre').textContent = JSON.stringify(await predict(input), null, 2);
  };
${
  isImage
    ? "  document.querySelector('input').onchange = (event) => show(event.target.files[0]);"
    : "  document.querySelector('button').onclick = () => show(JSON.parse(document.querySelector('textarea').value));"
}
</script>`;
}

/** A browser resizes a little differently from Netsmith (lanczos3): images of another size give slightly other values. */
const IMAGE = `  // A picture file as channels, height, width. Browsers turn it upright themselves.
  async function features(file) {
    const { width, height, channels, background } = preprocessing;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.fillStyle = \`rgb(\${background} \${background} \${background})\`;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(await createImageBitmap(file), 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height).data;
    const area = width * height;
    const linear = (v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const display = (v) => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
    const planes = new Float32Array((channels === 'gray' ? 1 : 3) * area);
    for (let i = 0; i < area; i++) {
      const [r, g, b] = pixels.subarray(4 * i, 4 * i + 3);
      if (channels !== 'gray') [planes[i], planes[area + i], planes[2 * area + i]] = [r, g, b];
      else if (r === g && g === b) planes[i] = r;
      else planes[i] = Math.round(display(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)));
    }
    const [low, high] = preprocessing.range;
    return planes.map((value) => low + (value / 255) * (high - low));
  }
`;

const TABLE = `  // A row as an object: numbers, texts, and dates such as 2026-01-31 or 2026-01-31T12:00; what is missing is left out.
  async function features(row) {
    const values = preprocessing.columns.flatMap((column) => {
      const value = row[column.name];
      const missing = value === undefined || value === null || value === '';
      if (column.kind === 'number') return [(missing ? column.missing : Number(value)) - (column.offset ?? 0)];
      if (column.kind === 'category') {
        const at = column.categories.indexOf(missing ? '' : String(value));
        const found = at < 0 && column.other ? column.categories.length : at;
        return Array.from({ length: column.width }, (_, i) => (i === found ? 1 : 0));
      }
      if (column.format === 'time') {
        const [h = 0, m = 0, s = 0] = missing ? [] : String(value).split(':').map(Number);
        return [missing ? column.missing : (h * 3600 + m * 60 + s) / 86400];
      }
      const days = missing ? column.missing : Date.parse(/T/.test(value) ? \`\${value}Z\` : value) / 86400000;
      const day = Math.floor(days);
      return column.timed ? [day - column.offset, days - day] : [day - column.offset];
    });
    return Float32Array.from(values);
  }
`;

const VALUES = `  // The values of one sample, in order.
  const features = async (values) => Float32Array.from(values);
`;
