import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parseHTML } from 'linkedom';

/**
 * What holds of every report, whatever it is of: one file that loads nothing, with the one script that its policy allows; headings in
 * order, contents that lead somewhere, tables with caption and scope in boxes that scroll, pictures with a text.
 */
export function checkPage(page: string): Document {
  const { document } = parseHTML(page);
  const all = (selector: string) => [...document.querySelectorAll(selector)];
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  assert.notEqual(document.title, '');

  const scripts = all('script');
  assert.equal(scripts.length, 1);
  const sum = createHash('sha256')
    .update(scripts[0]?.textContent ?? '')
    .digest('base64');
  const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute('content') ?? '';
  assert.ok(policy.includes(`script-src 'sha256-${sum}'`) && policy.startsWith("default-src 'none'"), policy);
  assert.doesNotMatch(scripts[0]?.textContent ?? '', /innerHTML|insertAdjacentHTML|document\.write|eval/);
  assert.equal(all('link, iframe, object, embed, form, base, meta[http-equiv="refresh"]').length, 0);
  assert.equal(all('[onclick], [onload], [onerror]').length, 0);
  for (const [, url] of page.matchAll(/(?:src|href)="([^"]*)"/g))
    assert.match(url ?? '', /^(#|data:image\/(png|jpeg);base64,)/);
  const loaded = page.replace(/<script>.*<\/script>/s, '');
  assert.doesNotMatch(loaded, /@import|url\(|undefined|\[object|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);

  const levels = all('h1, h2, h3, h4').map(({ tagName }) => Number(tagName[1]));
  assert.equal(levels.filter((level) => level === 1).length, 1);
  for (const [i, level] of levels.entries()) assert.ok(level <= (levels[i - 1] ?? 0) + 1, `heading ${i} jumps`);

  const ids = all('[id]').map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const links = all('nav a').map((link) => link.getAttribute('href') ?? '');
  assert.ok(links.length > 0);
  for (const link of links) assert.ok(ids.includes(link.slice(1)), link);
  assert.equal(links.length, all('section').length);

  for (const table of all('table')) {
    assert.notEqual(table.querySelector('caption')?.textContent, '');
    assert.ok(table.querySelector('caption'), 'a caption');
    for (const head of table.querySelectorAll('th')) assert.match(head.getAttribute('scope') ?? '', /^(row|col)$/);
    assert.ok(table.closest('.scroll[tabindex="0"]'), 'in a box that scrolls');
    const widths = [...table.querySelectorAll('tr')].map((row) => row.querySelectorAll('th, td').length);
    assert.equal(new Set(widths).size, 1, `rows of equal length: ${widths.slice(0, 5)}`);
  }
  for (const svg of all('svg')) {
    if (svg.getAttribute('aria-hidden') === 'true' || svg.parentElement?.closest('svg')) continue;
    assert.ok(svg.getAttribute('role') === 'img' && svg.getAttribute('aria-label'), 'a picture says what it shows');
    // Wider ones are made smaller by `figure svg`, or scroll.
    assert.ok(svg.closest('figure'));
    assert.doesNotMatch(svg.toString(), /\bNaN\b|Infinity/);
  }
  for (const image of all('img')) assert.ok(image.getAttribute('alt'));
  for (const element of all('[style]')) {
    const width = /(?:^|[^-])width:\s*(\d+)px/.exec(element.getAttribute('style') ?? '')?.[1];
    assert.ok(width === undefined || Number(width) <= 400 || element.closest('.scroll'), 'no fixed width');
  }
  return document;
}

export function textOf(page: string): string {
  const { document } = parseHTML(page);
  for (const one of document.querySelectorAll('script, style, title')) one.remove();
  return document.body.textContent?.replaceAll('\u00a0', ' ').replace(/\s+/g, ' ') ?? '';
}
