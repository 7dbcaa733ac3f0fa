import t from 'tap'
import { createLog } from '../../src/core/log.ts'
import { Services } from '../../src/core/services.ts'
import { createTemplates } from '../../src/template/templates.ts'
import {
  createStaticUrls,
  STATIC_URLS,
  type StaticUrlsOptions,
  staticHelpers,
  staticUrl,
} from '../../src/was/static-url.ts'
import { requestOf } from '../support/request.ts'

const URLS: Readonly<Record<string, string>> = {
  'app.css': '/static/app.3f2a91c0.css',
  "a&b'.js": "/static/a&b'.3f2a91c0.js",
}

function urlsOf(options: Partial<StaticUrlsOptions> = {}) {
  const log: string[] = []
  const urls = createStaticUrls({
    prefixes: ['/static', '/'],
    find: (path) => (Object.hasOwn(URLS, path) ? URLS[path] : undefined),
    log: createLog((line) => log.push(line)),
    ...options,
  })
  return { urls, log }
}

t.test('a view gets the URL of a file through its request', async (t) => {
  const services = new Services().provide(STATIC_URLS, urlsOf().urls)
  const req = requestOf('GET', '/', { services })
  t.equal(staticUrl(req, 'app.css'), '/static/app.3f2a91c0.css')
  t.throws(() => staticUrl(requestOf('GET', '/'), 'app.css'), {
    code: 'UWAS_ERR_CORE_SERVICE_MISSING',
    message: 'the site has no static files: set `static` in uwas.config.ts to their folder',
  })
})

t.test('a file that does not exist gets its plain path, and one warning', async (t) => {
  const { urls, log } = urlsOf()
  t.equal(urls.of('no such.css'), '/static/no%20such.css')
  t.equal(urls.of('no such.css'), '/static/no%20such.css')
  t.equal(urls.of('/other/x.css'), '/other/x.css')
  t.equal(urlsOf({ prefixes: [] }).urls.of('x.css'), '/x.css')
  t.strictSame(log, [
    'uwas: warning: a page names the static file "no such.css", which does not exist',
    'uwas: warning: a page names the static file "/other/x.css", which does not exist',
  ])
  for (let i = 0; i < 500; i++) urls.of(`${i}.css`)
  t.equal(log.length, 100, 'and a loop does not fill the log')
})

t.test('templates name files by the section static', async (t) => {
  const dir = t.testdir({
    'page.mustache': '<link href="{{#static}}app.css{{/static}}">{{>part}}',
    'part.mustache': '{{#list}}<script src="{{#static}} a&b\'.js {{/static}}"></script>{{/list}}',
    'own.mustache': '{{#static}}app.css{{/static}}',
    'tag.mustache': '{{#static}}{{name}}.css{{/static}}',
  })
  const templates = createTemplates({ dir, helpers: staticHelpers(urlsOf().urls) })
  t.equal(
    templates.render('page', { list: [1] }),
    '<link href="/static/app.3f2a91c0.css"><script src="/static/a&amp;b&#39;.3f2a91c0.js"></script>',
  )
  t.equal(templates.render('own', { static: [] }), '', 'the data’s own name goes before')
  t.equal(templates.render('own', null), '/static/app.3f2a91c0.css')
  t.throws(() => templates.render('tag', { name: 'x' }), {
    code: 'UWAS_ERR_TEMPLATE_RENDER',
    message:
      /the section "static" has a tag inside, "{{name}}\.css", and can hold only a fixed path/,
    cause: { code: 'UWAS_ERR_WAS_STATIC_TAGS' },
  })
  templates.reload()
  t.match(templates.render('page', {}), 'app.3f2a91c0.css')
})
