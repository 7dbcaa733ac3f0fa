import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { redirect, text } from '../../src/http/reply.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { flash } from '../../src/was/flash.ts'
import { render } from '../../src/was/render.ts'
import { defineSession } from '../../src/was/session/open.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'
import { startBrowser } from '../support/demo.ts'
import { site } from '../support/site.ts'

t.setTimeout(300_000)

const session = defineSession<{ sent: number }>()
const urls = urlconf(
  path('/', async (req) => {
    const { userId } = await session(req)
    return render(req, 'page', { user: userId ?? 'nobody' })
  }),
  path(
    '/sign-in',
    async (req) => {
      const name = (await req.form()).get('name') ?? ''
      ;(await session(req)).rotate({ userId: name })
      flash(req, 'success', `Hello ${name}`)
      return redirect('/')
    },
    { methods: ['POST'] },
  ),
  path(
    '/send',
    async (req) => {
      ;(await session(req)).update('sent', (sent = 0) => sent + 1)
      return redirect('/sent')
    },
    { methods: ['POST'] },
  ),
  path('/sent', async (req) => text(String((await session(req)).get('sent') ?? 0))),
)

const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title></head><body>
<p id="user">{{user}}</p>{{#messages}}<p class="{{kind}}">{{text}}</p>{{/messages}}
<form method="post" action="/sign-in">{{csrfField}}<input name="name" aria-label="name"><button id="in">Sign in</button></form>
<form method="post" action="/send">{{csrfField}}<button id="send">Send</button></form>
<form method="post" action="/send"><button id="bare">Send without a token</button></form>
<button id="script" data-token="{{csrfToken}}">Send by script</button>
<script nonce="{{cspNonce}}">document.title = 'ran'
document.querySelector('#script').onclick = async ({ target }) => {
  const reply = await fetch('/send', { method: 'POST', headers: { 'X-CSRF-Token': target.dataset.token } })
  document.body.dataset.sent = await reply.text()
}</script>
<script>document.title = 'injected'</script>
</body></html>
`

t.test(
  'a browser signs in, sends forms and runs what may run; other sites reach nothing',
  async (t) => {
    const root = await writeTree(temporaryFolder(t), { 'templates/page.mustache': PAGE })
    const { client } = await site(
      t,
      {
        urls,
        templates: 'templates',
        sessions: {},
        allowedHosts: ['localhost'],
        securityHeaders: { contentSecurityPolicy: { 'script-src': ["'nonce'"] } },
      },
      { root },
    )
    const home = client.url.replace('127.0.0.1', 'localhost')
    const browser = await startBrowser()
    const context = await browser.newContext()
    t.teardown(() => context.close())
    const page = await context.newPage()
    await page.goto(`${home}/`)
    t.equal(await page.title(), 'ran', 'the script with the nonce, and not the one without')
    const anonymous = (await context.cookies()).map(({ name }) => name)
    t.strictSame(anonymous, ['csrf'], 'no session before somebody signs in')

    await page.fill('[name=name]', 'anna')
    await page.click('#in')
    await page.waitForSelector('.success')
    t.equal(await page.textContent('.success'), 'Hello anna')
    t.equal(await page.textContent('#user'), 'anna')
    const cookie = (await context.cookies()).find(({ name }) => name === 'session')
    t.match(cookie, { httpOnly: true, sameSite: 'Lax', path: '/' })
    t.equal(await page.evaluate('document.cookie'), '', 'scripts see no cookie')
    await page.reload()
    t.equal(await page.locator('.success').count(), 0, 'a message is shown once')

    await page.click('#send')
    await page.waitForURL('**/sent')
    t.equal(await page.textContent('body'), '1')
    await page.goto(`${home}/`)
    await page.click('#script')
    await page.waitForSelector('body[data-sent="2"]')
    await page.click('#bare')
    await page.waitForSelector('h1')
    t.match(await page.textContent('body'), '403 Forbidden')
    t.match(await page.textContent('body'), 'put {{csrfField}} into the form')

    const attack = `<form method="post" action="${home}/send" enctype="text/plain"><input name="a"></form><script>document.forms[0].submit()</script>`
    const evil = createServer((_req, res) => {
      res.setHeader('Content-Type', 'text/html')
      res.end(attack)
    })
    await new Promise<void>((ready) => evil.listen(0, '127.0.0.1', ready))
    t.teardown(() => evil.close())
    const { port } = evil.address() as AddressInfo
    for (const host of ['localhost', '127.0.0.1']) {
      const stranger = await context.newPage()
      await stranger.goto(`http://${host}:${port}/`)
      await stranger.waitForURL('**/send')
      t.match(await stranger.textContent('body'), '403 Forbidden', host)
      t.match(await stranger.textContent('body'), /Sec-Fetch-Site: (?:same|cross)-site/)
    }
    await page.goto(`${home}/sent`)
    t.equal(await page.textContent('body'), '2', 'nothing was done')
  },
)
