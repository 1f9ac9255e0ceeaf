import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  codeOf,
  DataError,
  ERROR_CODES,
  environmentFault,
  isNetsmithError,
  messageOf,
  NetsmithError,
  StudyStopped,
  stopped,
  UserError,
} from './errors.ts';

const failing = (code: string) => Object.assign(new Error(`${code}: of /a/b.tmp`), { code });
const inSqlite = (errcode: number, message: string) =>
  Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });

test('errors of the machine are recognized by their system or SQLite code, also as a cause', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE', 'EACCES', 'EPERM'])
    assert.match(environmentFault(failing(code)) ?? '', new RegExp(`^[a-z].* \\(${code}\\)$`, 'i'));
  assert.match(
    environmentFault(inSqlite(13, 'database or disk is full')) ?? '',
    /^no space is left on the disk \(SQLite error 13\)$/,
  );
  // Extended codes: SQLITE_IOERR_WRITE, SQLITE_READONLY_DBMOVED.
  for (const code of [778, 1032, 14]) assert.ok(environmentFault(inSqlite(code, 'no')));
  assert.ok(environmentFault(new UserError('cannot be kept', { cause: failing('ENOSPC') })));
  for (const other of [
    failing('ENOENT'),
    inSqlite(11, 'malformed'),
    inSqlite(1, 'no such table'),
    new Error('a bug'),
    'text',
  ])
    assert.equal(environmentFault(other), undefined);
});

test('such an error becomes a StudyStopped that names the place; any other stays what it is', () => {
  const full = stopped(failing('ENOSPC'), 'file "runs/a/study.db"');
  assert.ok(full instanceof StudyStopped);
  assert.equal(full.message, 'file "runs/a/study.db": no space is left on the disk (ENOSPC)');
  assert.equal(stopped(full, 'elsewhere'), full);
  const bug = new RangeError('a bug');
  assert.equal(stopped(bug, 'here'), bug);
});

test('errors are recognized across two copies of the package, and each only as its own class', async () => {
  const url = `${new URL('./errors.ts', import.meta.url)}?copy=2`;
  const copy: typeof import('./errors.ts') = await import(url);
  assert.notEqual(copy.UserError, UserError);
  const foreign = new copy.DataError('image "a.png": it is cut off');
  assert.ok(isNetsmithError(foreign) && foreign instanceof NetsmithError);
  assert.ok(foreign instanceof UserError && foreign instanceof DataError);
  assert.equal(foreign instanceof StudyStopped, false);
  assert.ok(new StudyStopped('full') instanceof copy.StudyStopped);
  assert.equal(new copy.UserError('bad') instanceof DataError, false);
  assert.equal(stopped(new copy.StudyStopped('full'), 'here') instanceof StudyStopped, true);

  class Mine extends UserError {}
  assert.ok(new Mine('bad') instanceof UserError && new Mine('bad') instanceof Mine);
  assert.equal(new UserError('bad') instanceof Mine, false);
  for (const other of [new Error('no'), null, undefined, 'text', { code: 'invalid-input' }])
    assert.equal(isNetsmithError(other), false);
});

test('every error has a code; an error that was not thrown on purpose is unexpected', () => {
  assert.equal(codeOf(new UserError('bad')), 'invalid-input');
  assert.equal(codeOf(new DataError('bad')), 'unreadable-data');
  assert.equal(codeOf(new StudyStopped('full')), 'study-stopped');
  assert.equal(codeOf(new RangeError('a bug')), 'unexpected');
});

test('docs/errors.md has one row for each code', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \|$/gm)];
  assert.deepEqual(
    rows.map(([, code]) => code),
    [...ERROR_CODES],
  );
});

test('an error of the operating system has our own words and its code', () => {
  const gone = Object.assign(new Error("ENOENT: no such file or directory, open '/a/b'"), { code: 'ENOENT' });
  assert.equal(messageOf(gone), 'there is no such file or folder (ENOENT)');
  assert.equal(messageOf(failing('EACCES')), 'permission is denied (EACCES)');
  assert.equal(messageOf(new Error('as it is')), 'as it is');
  assert.equal(messageOf(7), '7');
});
