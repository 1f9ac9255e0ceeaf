import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confusionFigure } from './figures/confusion.ts';
import { html } from './markup.ts';

test('text is escaped for elements and attributes; what cannot be seen becomes visible', () => {
  const hostile = '"><script>\u001b[2J\u0000\u202e\ufffe\ud800\u0085</script>\'&\n\tend';
  const { markup } = html`<p title="${hostile}">${hostile}</p>`;
  const escaped =
    '&quot;&gt;&lt;script&gt;\\u001b[2J\\u0000\\u202e\\ufffe\ufffd\\u0085&lt;/script&gt;&#39;&amp;\n\tend';
  assert.equal(markup, `<p title="${escaped}">${escaped}</p>`);
});

test('a figure made by Plot is well-formed XML whatever its labels are', () => {
  const matrix = [
    [3, 1],
    [0, 4],
  ];
  const svg = confusionFigure(matrix, ['<b>\u001b[2J', '\ufffe\u202e"\'']);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  assert.doesNotMatch(svg, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\ufffe\uffff]|<b>/);
  assert.match(svg, /\\u001b\[2J/);
});
