/** `{{#cached}}` in the templates of a site: what is kept, for whom, and until when. */
import t, { type Test } from 'tap'
import { Memory } from '../../src/cache/budget.ts'
import { Cache, cache } from '../../src/cache/cache.ts'
import { ValueStore } from '../../src/cache/value-store.ts'
import { createLog } from '../../src/core/log.ts'
import { text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { atomic } from '../../src/model/atomic.ts'
import { DATABASE } from '../../src/model/database.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { cspNonce } from '../../src/was/csp.ts'
import { csrfField, csrfToken } from '../../src/was/csrf/csrf.ts'
import { PageFragments } from '../../src/was/fragments.ts'
import { render } from '../../src/was/render.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { type Site, site } from '../support/site.ts'

/** A site of one page; its data count how often they are asked for. */
async function start(
  t: Test,
  templates: Record<string, string>,
  data: (req: Request) => object,
  more: { options?: object; hasDatabase?: boolean; config?: object } = {},
): Promise<Site> {
  const files = Object.entries(templates).map(([name, text]) => [
    `templates/${name}.mustache`,
    text,
  ])
  const root = await writeTree(temporaryFolder(t), Object.fromEntries(files))
  const urls = urlconf(
    path('/', (req) => render(req, 'page', data(req)), more.options ?? {}),
    path(
      '/change/<slug:tag>',
      {
        post: (req) => {
          cache(req).invalidate(req.params.tag)
          return render(req, 'page', data(req))
        },
      },
      { csrf: false },
    ),
  )
  const config = { urls, templates: 'templates', ...more.config }
  return site(t, config, { hasDatabase: more.hasDatabase ?? false, root })
}

async function bodies(site: Site, ...paths: string[]): Promise<string[]> {
  const all: string[] = []
  for (const path of paths) all.push((await site.ask('GET', path)).text)
  return all
}

/** Data with a value that counts how often it is asked for. */
function counting(): { n: () => number } {
  let n = 0
  return { n: () => ++n }
}

t.test('a cached partial is rendered once, and its page each time', async (t) => {
  let n = 0
  const own = await start(
    t,
    { page: '<p>{{page}}</p>{{#cached}}side{{/cached}}', side: '<b>{{n}} {{x}}</b>' },
    () => ({ page: ++n, n: () => n, x: '<&"' }),
  )
  t.strictSame(await bodies(own, '/', '/', '/'), [
    '<p>1</p><b>1 &lt;&amp;&quot;</b>',
    '<p>2</p><b>1 &lt;&amp;&quot;</b>',
    '<p>3</p><b>1 &lt;&amp;&quot;</b>',
  ])
})

t.test('there is one for each of the values that it varies with', async (t) => {
  const next = counting()
  const own = await start(
    t,
    { page: '{{#cached}}side vary=q,user.id{{/cached}}', side: '{{q}}:{{n}} ' },
    (req) => ({
      q: req.query.get('q') ?? undefined,
      user: { id: Number(req.query.get('id')) },
      ...next,
    }),
  )
  t.strictSame(
    await bodies(
      own,
      '/?q=a',
      '/?q=b',
      '/?q=a',
      '/?q=a&id=1',
      '/',
      '/?q=%22a%22%20%22b%22',
      '/?q=b',
    ),
    ['a:1 ', 'b:2 ', 'a:1 ', 'a:3 ', ':4 ', '&quot;a&quot; &quot;b&quot;:5 ', 'b:2 '],
  )
})

t.test('tags that vary with other names have fragments of their own', async (t) => {
  const own = await start(
    t,
    {
      page: '{{#user}}{{#cached}}side vary=user.id{{/cached}}{{/user}}{{#team}}{{#cached}}side vary=team.id{{/cached}}{{/team}}',
      side: '{{name}} ',
    },
    () => ({ user: { id: 5, name: 'Ann' }, team: { id: 5, name: 'Reds' } }),
  )
  t.strictSame(await bodies(own, '/', '/'), ['Ann Reds ', 'Ann Reds '])
})

t.test('a tag ends it, also one that is made of a value', async (t) => {
  const next = counting()
  const own = await start(
    t,
    {
      page: '{{#cached}}side vary=id tags=all,post:{id}-{kind}{{/cached}}',
      side: '{{n}}',
    },
    () => ({
      id: 7,
      kind: 'x',
      ...next,
    }),
  )
  const { client } = own
  t.strictSame(await bodies(own, '/', '/'), ['1', '1'])
  cache(client).invalidate('post:8-x')
  t.strictSame(await bodies(own, '/'), ['1'])
  cache(client).invalidate('post:7-x')
  t.strictSame(await bodies(own, '/', '/'), ['2', '2'])
  cache(client).invalidate('all')
  t.strictSame(await bodies(own, '/', '/'), ['3', '3'])
})

t.test('what was read before an invalidation is not kept', async (t) => {
  const next = counting()
  const own = await start(
    t,
    { page: '{{#cached}}side tags=all{{/cached}}', side: '{{n}}' },
    () => next,
  )
  t.equal((await own.ask('POST', '/change/all')).text, '1')
  t.strictSame(await bodies(own, '/', '/'), ['2', '2'])
})

t.test('a fragment in a fragment ends the one around it, by tag and by time', async (t) => {
  const next = counting()
  const nested = (inner: string) => ({
    page: '{{#cached}}outer tags=outer{{/cached}}',
    outer: `[{{n}}{{#cached}}inner ${inner}{{/cached}}]`,
    inner: '({{n}})',
  })
  const byTag = await start(t, nested('tags=inner'), () => next)
  t.strictSame(await bodies(byTag, '/', '/'), ['[1(2)]', '[1(2)]'])
  cache(byTag.client).invalidate('inner')
  t.strictSame(await bodies(byTag, '/', '/'), ['[3(4)]', '[3(4)]'])
  cache(byTag.client).invalidate('outer')
  t.strictSame(await bodies(byTag, '/', '/'), ['[5(4)]', '[5(4)]'])
  cache(byTag.client).invalidate('inner')
  t.strictSame(await bodies(byTag, '/'), ['[6(7)]'], 'also one that was there before')
  const byTime = await start(t, nested('seconds=0.001'), () => next)
  const [first] = await bodies(byTime, '/')
  let last = first
  for (let i = 0; i < 1000 && last === first; i++) [last] = await bodies(byTime, '/')
  t.not(last, first)
})

t.test('a cached page has the tags of its fragments, made now or before', async (t) => {
  const next = counting()
  const own = await start(
    t,
    { page: '{{page}}{{#cached}}side tags=all{{/cached}}', side: '{{n}}' },
    (req) => ({
      ...next,
      page: req.search,
    }),
    { options: { cached: { seconds: 60, vary: { query: ['q'] } } } },
  )
  const read = () => bodies(own, '/?q=1', '/?q=2', '/?q=1')
  t.strictSame(await read(), ['q=11', 'q=21', 'q=11'])
  cache(own.client).invalidate('all')
  t.strictSame(await read(), ['q=12', 'q=22', 'q=12'])
})

t.test('what belongs to one client cannot be part of it', async (t) => {
  const tags = ['{{csrfField}}', '{{csrfToken}}', '{{#messages}}x{{/messages}}', '{{cspNonce}}']
  for (const tag of tags) {
    const inside = await start(t, { page: '{{#cached}}side{{/cached}}', side: tag }, () => ({}))
    t.equal((await inside.ask('GET', '/')).status, 500, tag)
    const page = `{{#cached}}side{{/cached}}${tag}`
    const outside = await start(t, { page, side: 'a' }, () => ({}))
    t.equal((await outside.ask('GET', '/')).status, 200, `${tag} outside`)
  }
  const values = new Cache(
    new ValueStore(1_000_000, new Memory(1_000_000)),
    createLog(() => {}),
  )
  const fragments = new PageFragments(values, values.mark, { personalReads: 0 })
  const fragment = { name: 'side', key: 'side', tags: [], seconds: null }
  const make = () => {
    fragments.refusePersonal('csrfToken')
    return ''
  }
  t.throws(() => fragments.remember(fragment, make), {
    code: 'UWAS_ERR_WAS_FRAGMENT',
    message:
      'csrfToken belongs to one client, and the cached template side is kept for all: name it in the page around it',
  })
  t.equal(make(), '', 'and nothing is left of it')
})

t.test('nothing is kept in a transaction', async (t) => {
  const next = counting()
  const own = await start(t, { page: '{{#cached}}side{{/cached}}', side: '{{n}}' }, () => next, {
    options: { atomic: true },
    hasDatabase: true,
  })
  t.strictSame(await bodies(own, '/', '/'), ['1', '2'])
})

t.test('one name in two contexts has two fragments', async (t) => {
  const own = await start(
    t,
    {
      page: '{{#user}}{{#cached}}side vary=id{{/cached}}{{/user}}{{#team}}{{#cached}}side vary=id{{/cached}}{{/team}}',
      side: '{{name}} ',
    },
    () => ({ user: { id: 5, name: 'Ann' }, team: { id: 5, name: 'Reds' } }),
  )
  t.strictSame(await bodies(own, '/', '/'), ['Ann Reds ', 'Ann Reds '])
})

t.test('what was made from something of one client is not kept', async (t) => {
  const personal: Record<string, (req: Request) => unknown> = {
    'a lambda that reads a cookie': (req) => () => req.cookie('name') ?? '',
    'a CSRF token among the data': (req) => csrfToken(req),
    'a CSRF field among the data': (req) => csrfField(req),
    'a nonce among the data': (req) => cspNonce(req),
  }
  for (const [what, value] of Object.entries(personal)) {
    const next = counting()
    const own = await start(
      t,
      {
        page: '{{#cached}}outer{{/cached}}',
        outer: '{{#cached}}side{{/cached}}',
        side: '{{n}} {{x}}',
      },
      (req) => ({ ...next, x: value(req) }),
      {
        config: {
          sessions: { store: 'cookie' },
          securityHeaders: { contentSecurityPolicy: { 'script-src': ["'nonce'"] } },
        },
      },
    )
    const [first = '', second = ''] = await bodies(own, '/', '/')
    t.match(first, /^1 /, what)
    t.match(second, /^2 /, what)
  }
  const next = counting()
  const own = await start(
    t,
    { page: '{{#cached}}side{{/cached}}', side: '{{n}} {{x}}' },
    (req) => ({
      ...next,
      x: () => req.cookie('name') ?? '',
    }),
  )
  const read = async (name: string) => (await own.ask('GET', '/', { Cookie: `name=${name}` })).text
  t.strictSame([await read('ann'), await read('bob')], ['1 ann', '2 bob'])
})

t.test('what a transaction beside the request has read is not kept', async (t) => {
  const next = counting()
  const root = await writeTree(temporaryFolder(t), {
    'templates/page.mustache': '{{#cached}}side{{/cached}}',
    'templates/side.mustache': '{{n}}',
  })
  const made: string[] = []
  const urls = urlconf(
    path('/undone', async (req) => {
      await atomic(req.services.get(DATABASE), async () => {
        made.push(String(render(req, 'page', next).body))
        throw new Error('undone')
      }).catch(() => undefined)
      return text('')
    }),
    path('/', (req) => render(req, 'page', next)),
  )
  const own = await site(t, { urls, templates: 'templates' }, { root })
  await own.ask('GET', '/undone')
  t.strictSame(made, ['1'])
  t.strictSame(await bodies(own, '/', '/'), ['2', '2'])
})

t.test(
  'a fragment whose tags are too long or too many is part of a page that is not kept either',
  async (t) => {
    const page = '{{#cached}}outer{{/cached}}'
    const outer = '{{n}}{{#rows}}{{#cached}}inner vary=id tags=x{id}{{/cached}}{{/rows}}'
    for (const [rows, reason] of [
      [
        [{ id: 'y'.repeat(200) }],
        /of the tags of its fragments, "xy{39}"… is none: it has 1 to 200 cha/,
      ],
      [
        Array.from({ length: 1001 }, (_, id) => ({ id })),
        /its fragments, there are more than 1000/,
      ],
    ] as const) {
      const next = counting()
      const options = { cached: { seconds: 60 } }
      const templates = { page, outer, inner: '' }
      const plain = await start(t, templates, () => ({ ...next, rows }))
      t.strictSame(await bodies(plain, '/', '/'), ['1', '2'])
      const cached = await start(t, templates, () => ({ ...next, rows }), { options })
      t.strictSame(await bodies(cached, '/', '/'), ['3', '4'])
      t.match(cached.client.log.join(''), reason)
    }
    const many = await start(
      t,
      { page: outer, inner: '' },
      () => ({
        n: 1,
        rows: Array.from({ length: 1001 }, (_, id) => ({ id })),
      }),
      { options: { cached: { seconds: 60 } } },
    )
    t.strictSame(await bodies(many, '/', '/'), ['1', '1'])
    t.match(many.client.log.join(''), /GET \/ is not cached: it has more than 1000 tags/)
  },
)

t.test(
  'a cached page has the tags of fragments that are not kept: in a transaction, of a cookie',
  async (t) => {
    const next = counting()
    const templates = { page: '{{#cached}}side tags=all{{/cached}}', side: '{{n}}{{lang}}' }
    for (const options of [
      { atomic: true, cached: { seconds: 60 } },
      { cached: { seconds: 60, vary: { cookies: ['lang'] } } },
    ]) {
      const data = (req: Request) => ({ ...next, lang: () => req.cookie('lang') ?? '' })
      const own = await start(
        t,
        templates,
        'atomic' in options ? () => ({ ...next, lang: '' }) : data,
        {
          options,
          hasDatabase: true,
        },
      )
      const [first, second] = await bodies(own, '/', '/')
      t.equal(first, second)
      cache(own.client).invalidate('all')
      t.not((await bodies(own, '/'))[0], second)
    }
  },
)

t.test('what cannot tell fragments apart is an error of the page', async (t) => {
  const own = await start(t, { page: '{{#cached}}side vary=q{{/cached}}', side: 'a' }, (req) => ({
    q: req.query.has('o') ? { id: 1 } : 1,
  }))
  t.strictSame((await own.ask('GET', '/')).status, 200)
  t.strictSame((await own.ask('GET', '/?o')).status, 500)
  t.match(
    own.client.log.join(''),
    /page\.mustache:1:1: the cached template varies with "q", which is no text, number or truth value; name what tells one from others, like q\.id/,
  )
})
