import t from 'tap'
import { contentTypeOf } from '../../src/http/mime.ts'

t.test('text, scripts and JSON say that they are UTF-8', async (t) => {
  t.equal(contentTypeOf('index.html'), 'text/html; charset=utf-8')
  t.equal(contentTypeOf('css/site.css'), 'text/css; charset=utf-8')
  t.equal(contentTypeOf('app.js'), 'text/javascript; charset=utf-8')
  t.equal(contentTypeOf('app.mjs'), 'text/javascript; charset=utf-8')
  t.equal(contentTypeOf('읽어 주세요.txt'), 'text/plain; charset=utf-8')
  t.equal(contentTypeOf('data.json'), 'application/json; charset=utf-8')
  t.equal(contentTypeOf('site.webmanifest'), 'application/manifest+json; charset=utf-8')
})

t.test('XML and what is not text get no charset', async (t) => {
  t.equal(contentTypeOf('logo.svg'), 'image/svg+xml')
  t.equal(contentTypeOf('feed.rss'), 'application/rss+xml')
  t.equal(contentTypeOf('feed.xml'), 'application/xml')
  t.equal(contentTypeOf('a.png'), 'image/png')
  t.equal(contentTypeOf('a.wasm'), 'application/wasm')
  t.equal(contentTypeOf('a.woff2'), 'font/woff2')
  t.equal(contentTypeOf('a.tar.gz'), 'application/gzip')
})

t.test('the case of an ending does not matter', async (t) => {
  t.equal(contentTypeOf('PHOTO.JPG'), 'image/jpeg')
})

t.test('a name that says nothing is application/octet-stream', async (t) => {
  for (const name of [
    'README',
    'html',
    'a.b/html',
    'x.unheardof',
    'x.',
    '.html',
    'x.__proto__',
    'x.constructor',
  ]) {
    t.equal(contentTypeOf(name), 'application/octet-stream', name)
  }
})

t.test('the site may say otherwise', async (t) => {
  const types = { hwp: 'application/x-hwp', html: 'text/html; charset=euc-kr' }
  t.equal(contentTypeOf('공문.HWP', types), 'application/x-hwp')
  t.equal(contentTypeOf('old.html', types), 'text/html; charset=euc-kr')
  t.equal(contentTypeOf('a.css', types), 'text/css; charset=utf-8')
  t.equal(contentTypeOf('a.md', { md: 'Text/Markdown' }), 'Text/Markdown; charset=utf-8')
  t.equal(contentTypeOf('a.x', { x: 'text/x;v=1' }), 'text/x;v=1')
})
