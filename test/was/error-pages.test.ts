import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { HttpError, notFound } from '../../src/http/http-error.ts'
import { html, type Reply } from '../../src/http/reply.ts'
import { createErrorPages, type ErrorPagesOptions } from '../../src/was/error-pages.ts'
import { requestOf } from '../support/request.ts'

const field = (reply: Reply, name: string) =>
  reply.headers?.find(([other]) => other.toLowerCase() === name)?.[1]
const textOf = ({ body }: Reply): string =>
  Buffer.from(body as Uint8Array | string as string).toString()
const get = (path: string, accept?: string) =>
  requestOf('GET', path, accept === undefined ? {} : { headers: { accept } })

function pages(options: Partial<ErrorPagesOptions> = {}) {
  const log: string[] = []
  return { log, page: createErrorPages({ log: createLog((line) => log.push(line)), ...options }) }
}

t.test('a browser gets a page, a program that wants JSON problem details', (t) => {
  const { page } = pages()
  const browser = page(get('/x', 'text/html,application/xhtml+xml,*/*;q=0.8'), notFound('no post'))
  t.match(browser, { status: 404, type: 'text/html; charset=utf-8' })
  t.match(textOf(browser), '<p>no post</p>')
  for (const accept of ['application/problem+json', 'application/json', 'application/json, */*']) {
    const req = get('/x', accept)
    const reply = page(req, notFound('no post'))
    t.match(reply, { status: 404, type: 'application/problem+json' })
    t.same(JSON.parse(textOf(reply)), {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'no post',
      instance: `urn:uuid:${req.id}`,
    })
  }
  t.end()
})

t.test('who does not care, or accepts none of both, gets a page', (t) => {
  const { page } = pages()
  for (const accept of [undefined, '*/*', 'image/png']) {
    t.equal(page(get('/', accept), notFound()).type, 'text/html; charset=utf-8', accept ?? 'none')
  }
  t.end()
})

t.test('both forms vary by Accept, are not stored, and keep the fields of the error', (t) => {
  const { page } = pages()
  for (const accept of ['text/html', 'application/json']) {
    const reply = page(
      get('/', accept),
      new HttpError(503, 'later', { headers: [['Retry-After', '5']] }),
    )
    t.equal(field(reply, 'vary'), 'Accept')
    t.equal(field(reply, 'cache-control'), 'no-store')
    t.equal(field(reply, 'retry-after'), '5')
  }
  t.end()
})

t.test('an unexpected error is told to the log alone, in both forms', (t) => {
  const { page, log } = pages()
  for (const accept of ['text/html', 'application/json']) {
    const req = get('/', accept)
    const reply = page(req, new Error('password 1234'))
    t.equal(reply.status, 500)
    t.notMatch(textOf(reply), '1234')
    t.match(textOf(reply), req.id)
    t.ok(log.some((line) => line.includes(req.id) && line.includes('password 1234')))
  }
  t.end()
})

t.test('the page of development is for eyes; a program gets problem details', (t) => {
  const { page } = pages({ debugPage: () => html('debug', { status: 500 }) })
  t.equal(page(get('/'), new Error('x')).body, 'debug')
  t.equal(page(get('/', 'application/json'), new Error('x')).type, 'application/problem+json')
  t.not(page(get('/'), notFound()).body, 'debug')
  t.end()
})

t.test('files of the site stand for their status, the longest prefix first', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-error-pages-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const file = (name: string) => {
    writeFileSync(join(dir, name), `<h1>${name} 없음</h1>`)
    return join(dir, name)
  }
  const { page } = pages({
    files: [
      { status: 404, file: file('all.html') },
      { status: 404, file: file('docs.html'), prefix: '/docs' },
    ],
  })
  const at = (path: string) => textOf(page(get(path), notFound()))
  t.equal(at('/x'), '<h1>all.html 없음</h1>')
  t.equal(at('/docs'), '<h1>docs.html 없음</h1>')
  t.equal(at('/docs/x'), '<h1>docs.html 없음</h1>')
  t.equal(at('/docsx'), '<h1>all.html 없음</h1>')
  t.match(textOf(page(get('/x'), new HttpError(403))), '<h1>403 Forbidden</h1>')
  t.end()
})

t.test('a file that cannot be read stops the start', (t) => {
  const file = join(tmpdir(), 'uwas-no-such-file.html')
  t.throws(() => pages({ files: [{ status: 404, file }] }), {
    code: 'UWAS_ERR_WAS_ERROR_PAGE',
    message: `errorPages: ${file} cannot be read: ENOENT: no such file or directory, open '${file}'`,
  })
  t.end()
})
