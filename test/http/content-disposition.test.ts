import fc from 'fast-check'
import t from 'tap'
import { contentDisposition } from '../../src/http/content-disposition.ts'
import { checkHeader } from '../../src/http/headers.ts'

t.test('a plain name stands in quotes alone', (t) => {
  t.equal(contentDisposition('attachment', 'a b.txt'), 'attachment; filename="a b.txt"')
  t.end()
})

t.test('other names come in both forms (RFC 6266 section 5)', (t) => {
  t.equal(
    contentDisposition('attachment', '€ rates.pdf'),
    `attachment; filename="_ rates.pdf"; filename*=UTF-8''%E2%82%AC%20rates.pdf`,
  )
  t.equal(
    contentDisposition('inline', '보고서 "v1" 50%.pdf'),
    `inline; filename="___ _v1_ 50_.pdf"; filename*=UTF-8''%EB%B3%B4%EA%B3%A0%EC%84%9C%20%22v1%22%2050%25.pdf`,
  )
  t.end()
})

t.test('a path, an empty name and dots give no name that leads elsewhere', (t) => {
  t.equal(contentDisposition('attachment', '../../etc/passwd'), 'attachment; filename="passwd"')
  t.equal(contentDisposition('attachment', 'C:\\x\\a.txt'), 'attachment; filename="a.txt"')
  for (const name of ['', '..', '.', '/', ' \r\n']) {
    t.equal(contentDisposition('attachment', name), 'attachment', JSON.stringify(name))
  }
  t.end()
})

t.test('characters that hide or turn text are dropped: no ending in disguise', (t) => {
  t.equal(contentDisposition('inline', 'a\u202egpj.exe'), 'inline; filename="agpj.exe"')
  t.equal(contentDisposition('inline', 'a\r\nSet-Cookie: b'), 'inline; filename="aSet-Cookie: b"')
  t.end()
})

t.test('a long name is cut to 255 bytes and keeps its ending', (t) => {
  const value = contentDisposition('attachment', `${'글'.repeat(200)}.txt`)
  const [, extended = ''] = /filename\*=UTF-8''(.*)$/.exec(value) ?? []
  const name = decodeURIComponent(extended)
  t.equal(name, `${'글'.repeat(83)}.txt`)
  t.end()
})

t.test('any name makes a field of valid grammar that says the name again', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (name) => {
      const value = contentDisposition('attachment', name)
      checkHeader('Content-Disposition', value)
      const form =
        /^attachment(?:; filename="([ !#$&-[\]-~]*)"(?:; filename\*=UTF-8''([!#$&+.^_`|~0-9A-Za-z%-]*))?)?$/
      const [all, plain, extended] = form.exec(value) ?? []
      t.ok(all !== undefined, value)
      const said = extended === undefined ? (plain ?? '') : decodeURIComponent(extended)
      t.ok(
        name
          .toWellFormed()
          .replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, '')
          .includes(said),
      )
      t.notMatch(said, /[/\\\r\n\0]/)
    }),
  )
  t.end()
})
