import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentFault, StudyStopped, stopped, UserError } from './errors.ts';

const failing = (code: string) => Object.assign(new Error(`${code}: of /a/b.tmp`), { code });
const inSqlite = (errcode: number, message: string) =>
  Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });

test('what the machine is at fault for is known by the code of the system or of SQLite, also as a cause', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE', 'EACCES', 'EPERM'])
    assert.match(environmentFault(failing(code)) ?? '', new RegExp(`^[a-z].* \\(${code}\\)$`, 'i'));
  assert.match(
    environmentFault(inSqlite(13, 'database or disk is full')) ?? '',
    /no space .*SQLite: database or disk is full/,
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
