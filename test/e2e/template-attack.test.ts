/**
 * Hostile values in every place of a page where a tag may stand, in a real browser: their script never runs, and
 * the elements and attributes of the page are those that a harmless value gives.
 */
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { safeHtml } from '../../src/template/safe-html.ts'
import { createTemplates } from '../../src/template/templates.ts'
import { render } from '../../src/was/render.ts'
import { folder } from '../support/binary.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { startBrowser } from '../support/demo.ts'
import { FRAME_PAYLOADS, PAYLOADS, URL_PAYLOADS } from '../support/payloads.ts'
import { site } from '../support/site.ts'

t.setTimeout(300_000)

/** Where a tag may stand. */
const PLACES = [
  '<p>{{x}}</p>',
  '<p title="{{x}}">a</p>',
  "<p title='{{x}}'>a</p>",
  '<p title="a {{x}} b" class="{{x}}" data-x="{{x}}" id="{{x}}" lang="{{x}}">a</p>',
  '<p title = "{{x}}"\n{{#x}}hidden{{/x}} class=\'{{x}}\'/>a</p>',
  '<input value="{{x}}" placeholder=\'{{x}}\'{{#x}} checked{{/x}}>',
  '<textarea>{{x}}</textarea><textarea>a {{x}}</textarea>',
  '<select><option value="{{x}}">{{x}}</option></select>',
  '<table><tr><td>{{x}}</td></tr></table>',
  '<!-- {{x}} --><!--{{x}}--><p>a</p>',
  '<pre>{{x}}</pre><code>{{x}}</code>',
  '<noscript>{{x}}<p title="{{x}}">a</p></noscript>',
  '<template><p title="{{x}}">{{x}}</p></template>',
  '<svg><title>{{x}}</title><text>{{x}}</text><desc>{{x}}</desc></svg>',
  '<svg><foreignObject><p title="{{x}}">{{x}}</p></foreignObject></svg>',
  '<math><mi title="{{x}}">{{x}}</mi><annotation-xml encoding="text/html">{{x}}</annotation-xml></math>',
  '<svg><a xlink:href="{{x}}" href="{{x}}"><text>a</text></a><use href="{{x}}"/></svg>',
  '<math><mi href="{{x}}" xlink:href="{{x}}">a</mi></math>',
  '<a href="{{x}}" ping="{{x}}" title="{{x}}">{{x}}</a>',
  "<a href=' {{x}}'>a</a>",
  '<a href="/a/{{x}}">a</a><a href="?{{x}}={{x}}">a</a><a href="#{{x}}">a</a>',
  '<a href="https://a.test/{{x}}">a</a><a href="mailto:{{x}}">a</a>',
  '<a href="{{#x}}{{x}}{{/x}}">a</a><a href="{{^y}}{{x}}{{/y}}">a</a>',
  '<img src="{{x}}" alt="{{x}}" srcset="{{x}}">',
  '<img src="/i/{{x}}" srcset="/a/{{x}} 1x">',
  '<video poster="{{x}}" src="{{x}}"></video>',
  '<form action="{{x}}"><button formaction="{{x}}">{{x}}</button><input type="image" src="{{x}}"></form>',
  '<blockquote cite="{{x}}">{{x}}</blockquote><table background="{{x}}"></table>',
  '<meta name="description" content="{{x}}"><link rel="alternate" href="{{x}}" title="{{x}}">',
  '<script>sink({{#json}}x{{/json}})</script>',
  '<script>sink(`{{#json}}x{{/json}}`, [{{#json}}x{{/json}}])</script>',
  '<script>/*{{#json}}x{{/json}}*/ sink({ a: {{#json}}x{{/json}} })</script>',
  '<script type="application/json">{{#json}}x{{/json}}</script>',
  '{{>part}}',
  '<p>{{<layout}}{{$body}}<a href="{{x}}" title="{{x}}">{{x}}</a>{{/body}}{{/layout}}</p>',
  '<p>{{>*dynamic}}</p>',
  '{{#wrap}}<a href="{{x}}" title="{{x}}">{{x}}</a>{{/wrap}}<p>{{text}}</p>',
  '<textarea>{{html}}</textarea><p title="{{html}}">a</p><!--{{html}}-->',
]

/** These load pages of their own. */
const FRAMES = [
  '<iframe src="{{x}}"></iframe>',
  '<object data="{{x}}"></object>',
  '<embed src="{{x}}">',
  '<script src="{{x}}"></script>',
]

/** Where no escaping helps. */
const REFUSED = [
  '<p title={{x}}>',
  '<p title=a{{x}}>',
  '<p {{x}}>',
  '<p {{x}}="a">',
  '<p a{{x}}="b">',
  '<{{x}}>',
  '</{{x}}>',
  '<p{{x}}>',
  '<p onclick="f({{x}})">',
  "<p ONCLICK='{{x}}'>",
  '<p onfuture="{{x}}">',
  '<p style="color: {{x}}">',
  '<iframe srcdoc="{{x}}"></iframe>',
  '<a href={{x}}>',
  '<a href="java{{x}}">',
  '<a href="javascript:{{x}}">',
  '<a href="data:{{x}}">',
  '<a href="{{x}}{{x}}">',
  '<a href="{{x}}:{{x}}">',
  '<script>{{x}}</script>',
  '<script>let a = "{{x}}"</script>',
  '<script>let a = "{{#json}}x{{/json}}"</script>',
  '<script>{{>*x}}</script>',
  '<style>{{x}}</style>',
  '<style>{{#json}}x{{/json}}</style>',
  '<xmp>{{x}}</xmp>',
  '<iframe>{{x}}</iframe>',
  '<noembed>{{x}}</noembed>',
  '<noframes>{{x}}</noframes>',
  '<plaintext>{{x}}',
  '<!doctype {{x}}>',
  '<!{{x}}>',
  '<?{{x}}>',
  '<p title="{{{x}}}">',
  '<p>{{#json}}x{{/json}}</p>',
  '<meta http-equiv="{{x}}" content="a">',
  '<meta http-equiv="refresh" content="{{x}}">',
  '<meta http-equiv="refresh" content="0;url={{x}}">',
  '<svg><a><animate attributeName="href" values="{{x}}"></a></svg>',
  '<svg><a><set attributeName="href" to="{{x}}"></a></svg>',
]

const OWN = {
  'part.mustache': '<a href="{{x}}" title=\'{{x}}\'>{{x}}</a>',
  'layout.mustache': '<b>{{$body}}{{/body}}</b>',
}

/** Runs in the page: names of all elements and attributes, in order, and schemes of all URLs. */
const LOOK = `(() => {
  const url = /^(?:xlink:)?(?:href|src|action|formaction|poster|cite|data|background|ping)$/
  const schemes = new Set()
  const names = []
  const visit = (node) => {
    if (node.nodeType === 8) names.push('#comment')
    if (node.nodeType === 1) {
      names.push('<' + [node.nodeName, ...[...node.attributes].map(({ name }) => name)].join(' ') + '>')
      for (const { name, value } of node.attributes) {
        if (url.test(name) && URL.canParse(value, document.baseURI)) {
          schemes.add(new URL(value, document.baseURI).protocol)
        }
      }
      if (node instanceof HTMLTemplateElement) node.content.childNodes.forEach(visit)
    }
    node.childNodes.forEach(visit)
  }
  visit(document.documentElement)
  return { structure: names.join('\\n'), schemes: [...schemes] }
})()`

interface Look {
  readonly structure: string
  readonly schemes: readonly string[]
}

const CANARY = `window.canary = () => console.log('the canary sings')
window.sink = () => {}`

function payloadsFor(place: string): readonly string[] {
  if (FRAMES.includes(place)) return FRAME_PAYLOADS
  return /(?:href|src|action|poster|cite)="{{/.test(place) ? URL_PAYLOADS : PAYLOADS
}

async function startSite(t: Test): Promise<string> {
  const all = [...PLACES, ...FRAMES, '{{{x}}}']
  const pages = all.map((place, i) => [
    `templates/p${i}.mustache`,
    `<!doctype html><html><body>{{#all}}<div>${place}</div>{{/all}}</body></html>`,
  ])
  const own = Object.entries(OWN).map(([name, text]) => [`templates/${name}`, text])
  const root = await writeTree(temporaryFolder(t), Object.fromEntries([...pages, ...own]))
  const dataOf = (x: string) => ({
    x,
    html: safeHtml(`<p title="${x.replace(/[&"]/g, '')}">`),
    text: () => '{{x}}',
    wrap: (text: string) => text,
    dynamic: 'part',
    y: false,
  })
  const urls = urlconf(
    path('/<int:n>', (req) => {
      const { n } = req.params
      const payloads = payloadsFor(all[n] ?? '')
      const values = req.query.has('harmless') ? payloads.map(() => 'harmless') : payloads
      return render(req, `p${n}`, { all: values.map(dataOf) })
    }),
  )
  return (await site(t, { urls, templates: 'templates' }, { hasDatabase: false, root })).client.url
}

/** A page in which `canary()` is heard, from all its frames; only documents of the site are loaded. */
async function openPage(t: Test, url: string): Promise<{ page: Page; heard: string[] }> {
  const browser = await startBrowser()
  const context = await browser.newContext()
  t.teardown(() => context.close())
  await context.addInitScript({ content: CANARY })
  await context.route('**/*', (route) =>
    /^\/\d+$/.test(new URL(route.request().url()).pathname) && route.request().url().startsWith(url)
      ? route.continue()
      : route.abort(),
  )
  const page = await context.newPage()
  const heard: string[] = []
  page.on('console', (message) => {
    if (message.text() === 'the canary sings') heard.push(page.url())
  })
  page.on('pageerror', (error) => heard.push(`script failed: ${error.message}`))
  return { page, heard }
}

t.test('no value runs a script or changes the elements around it', async (t) => {
  t.ok(PAYLOADS.length >= 200, `${PAYLOADS.length} payloads`)
  const url = await startSite(t)
  const { page, heard } = await openPage(t, url)
  for (const [i, place] of [...PLACES, ...FRAMES].entries()) {
    await page.goto(`${url}/${i}?harmless`)
    const harmless = await page.evaluate<Look>(LOOK)
    await page.goto(`${url}/${i}`)
    const hostile = await page.evaluate<Look>(LOOK)
    t.equal(hostile.structure, harmless.structure, place)
    const bad = hostile.schemes.filter((scheme) => !/^(?:https?|mailto|about):$/.test(scheme))
    t.strictSame(bad, [], `schemes of ${place}`)
    t.strictSame(heard.splice(0), [], `nothing ran in ${place}`)
  }
})

t.test('JSON in a page is the value', async (t) => {
  const url = await startSite(t)
  const { page } = await openPage(t, url)
  await page.goto(`${url}/${PLACES.findIndex((place) => place.includes('application/json'))}`)
  const texts = await page.locator('script').allTextContents()
  const values = texts.map((text) => JSON.parse(text) as string)
  t.strictSame(values, PAYLOADS)
})

t.test('without escaping the attack succeeds', async (t) => {
  const url = await startSite(t)
  const { page, heard } = await openPage(t, url)
  const raw = PLACES.length + FRAMES.length
  await page.goto(`${url}/${raw}?harmless`)
  const harmless = await page.evaluate<Look>(LOOK)
  await page.goto(`${url}/${raw}`)
  t.not((await page.evaluate<Look>(LOOK)).structure, harmless.structure)
  t.ok(heard.some((where) => where.startsWith(url)))
})

t.test('where no escaping helps, the site does not start', async (t) => {
  for (const page of REFUSED) {
    const dir = folder(t, { ...OWN, 'page.mustache': page })
    t.throws(() => createTemplates({ dir }), { code: /^UWAS_ERR_TEMPLATE_(?:CONTEXT|MANY)$/ }, page)
  }
})
