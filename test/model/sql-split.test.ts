import fc from 'fast-check'
import t from 'tap'
import { readArray, writeArray } from '../../src/model/array.ts'
import { commandOf, splitSql } from '../../src/model/sql-split.ts'

const texts = (sql: string) => splitSql(sql).map(({ text }) => text)

t.test('cuts at semicolons that end a statement, and only there', (t) => {
  t.same(splitSql('select 1;\n\n-- c;\n  select 2 ;; /* x; /* y; */ */ select\n3'), [
    { text: 'select 1', line: 1 },
    { text: 'select 2', line: 4 },
    { text: 'select\n3', line: 4 },
  ])
  const whole = [
    `select ';', 'it''s;', E'\\';', "a;""b"`,
    'select $$;$$, $tag$ ; $$ ; $tag$, $1',
    'select a$b$c',
    'create function f() returns int language sql begin atomic select 1; select case when true then 2 end; end',
    'do $x$ begin perform 1; end $x$',
    "select 'not closed;",
    'select $a$ not closed;',
  ]
  for (const sql of whole) t.same(texts(sql), [sql])
  t.same(texts('begin; end; select 1'), ['begin', 'end', 'select 1'])
  t.same(texts('-- nothing\n/* at; all */ ;'), [])
  t.equal(commandOf({ text: 'Start\n transaction x', line: 1 }), 'START TRANSACTION')
  t.end()
})

t.test('never hangs, and puts every statement on the line where it stands', (t) => {
  const piece = fc.constantFrom(
    'select 1',
    ';',
    "'",
    '"',
    '$$',
    '$a$',
    '--',
    '/*',
    '*/',
    '\n',
    ' ',
    'é',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const sql = pieces.join('')
      const lines = sql.split('\n')
      for (const { text, line } of splitSql(sql)) {
        if (!(lines[line - 1] ?? '').includes(text.split('\n')[0] ?? '')) return false
      }
      return true
    }),
  )
  t.pass()
  t.end()
})

t.test('array texts read back as they were written', (t) => {
  const item = fc.option(
    fc.string({ unit: fc.constantFrom('a', '"', '\\', ',', '{', '}', ' ', '한') }),
  )
  fc.assert(
    fc.property(fc.array(item), (items) => {
      return JSON.stringify(readArray(writeArray(items))) === JSON.stringify(items)
    }),
  )
  t.same(readArray('{a,NULL,"NULL",b c}'), ['a', null, 'NULL', 'b c'])
  for (const broken of ['', 'a', '{a', '{"a']) {
    t.throws(() => readArray(broken), { name: 'TypeError' }, broken)
  }
  t.end()
})
