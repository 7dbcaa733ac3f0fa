import t from 'tap'
import type { Request } from '../../../src/http/request.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { createTestClient } from '../../../src/testing/test-client.ts'
import { render } from '../../../src/was/render.ts'
import { pageLinks, pageRange } from '../../../src/was/views/page-links.ts'
import { folder } from '../../support/binary.ts'

const TEMPLATES = {
  'templates/list.mustache': '{{#pager}}{{> uwas/pager}}{{/pager}}',
  'templates/ko.mustache':
    '{{#pager}}{{<uwas/pager}}{{$nextWord}}다음{{/nextWord}}{{/uwas/pager}}{{/pager}}',
}

t.test('the pager shows links, gaps and the current page; its words can be others', async (t) => {
  const list = (template: string) => (req: Request) =>
    render(req, template, { pager: pageLinks(req, pageRange(req, 10), 95) })
  const urls = urlconf(path('/', list('list')), path('/ko', list('ko')))
  const root = folder(t, TEMPLATES)
  const config = { urls, templates: 'templates', database: false } as const
  const client = await createTestClient(config, { root, env: {} })
  t.teardown(() => client.close())
  const page = async (target: string) => {
    const { status, text } = await client.get(target)
    t.equal(status, 200, text)
    return text.replace(/^ +/gm, '')
  }
  t.equal(
    await page('/?tag=%22%3E&page=5'),
    `<nav class="pager" aria-label="Pages">
<a class="previous" rel="prev" href="?tag=%22%3E&amp;page=4">Previous</a>
<a href="?tag=%22%3E">1</a>
<span class="gap">…</span>
<a href="?tag=%22%3E&amp;page=4">4</a>
<a href="?tag=%22%3E&amp;page=5" aria-current="page">5</a>
<a href="?tag=%22%3E&amp;page=6">6</a>
<span class="gap">…</span>
<a href="?tag=%22%3E&amp;page=10">10</a>
<a class="next" rel="next" href="?tag=%22%3E&amp;page=6">Next</a>
</nav>
`,
  )
  const first = await page('/')
  t.notMatch(first, 'rel="prev"')
  t.match(first, '<a href="?" aria-current="page">1</a>')
  t.notMatch(await page('/?page=10'), 'rel="next"')
  t.match(await page('/ko'), 'href="?page=2">다음</a>')
})
