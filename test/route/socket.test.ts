import t from 'tap'
import { checkUrls } from '../../src/route/check.ts'
import { compileUrls } from '../../src/route/compile.ts'
import { listRoutes } from '../../src/route/list.ts'
import { socket } from '../../src/route/socket.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'

const ok = { message() {} }

t.test('a socket is a route: matched, listed, reversed and included like any other', async (t) => {
  const chat = urlconf(socket('/<slug:room>', ok, { name: 'room', maxMessageBytes: 10 }))
  const urls = urlconf(include('/chat', chat, { namespace: 'chat' }))
  const compiled = compileUrls(urls)
  t.equal(urls.reverse('chat:room', { room: 'a' }), '/chat/a')
  const found = compiled.match('GET', '/chat/a')
  t.strictSame(found?.route?.socket?.options, {
    origins: 'same',
    protocols: [],
    maxMessageBytes: 10,
    maxBackpressureBytes: 1_048_576,
    slowReaders: 'close',
    idleTimeoutSeconds: 120,
    sendPings: true,
    compress: false,
  })
  t.strictSame(found?.route?.options, { name: 'room' })
  t.match(listRoutes(compiled), [{ methods: ['WS'], pattern: '/chat/<slug:room>' }])
})

t.test('a page and a socket at one URL are two routes of one pattern', async (t) => {
  const [problem] = checkUrls(
    urlconf(
      path('/x', () => new Response()),
      socket('/x', ok),
    ),
  )
  t.match(problem, { level: 'error', error: { code: 'UWAS_ERR_ROUTE_DUPLICATE' } })
})

t.test('converters of a scope and of the call itself work', async (t) => {
  const year = { parse: (text: string) => Number(text) || undefined, format: String }
  const urls = urlconf({ converters: { year } }, (_path, _include, socket) => [
    socket('/<year:y>', ok),
    socket('/a/<month:m>', ok, { converters: { month: year } }),
  ])
  t.strictSame(compileUrls(urls).match('GET', '/1999')?.route?.pattern, '/<year:y>')
  t.strictSame(compileUrls(urls).match('GET', '/a/12')?.route?.pattern, '/a/<month:m>')
})

t.test('every mistake is told with the line that holds it', async (t) => {
  const make = (handlers: unknown, options?: unknown) => () =>
    socket('/x', handlers as typeof ok, options as object)
  const cases: [run: () => unknown, problem: RegExp][] = [
    [make(undefined), /: the handlers are of type undefined, not an object of functions$/],
    [make(null), /: the handlers are null, not an object of functions$/],
    [make({}), /: the object has no handler$/],
    [make({ mesage() {} }), /: unknown handler "mesage"; did you mean "message"\?$/],
    [make({ open: 1 }), /: "open" is of type number, not a function$/],
    [make(ok, { origins: 'all' }), /: origins is "all"; give "same", "\*" or a list of origins/],
    [make(ok, { origins: ['https://a.example/'] }), /: origins is \["https:\/\/a\.example\/"\]/],
    [make(ok, { origins: [] }), /: origins is \[\]/],
    [make(ok, { protocols: 'chat' }), /: protocols is "chat"; give a list of tokens/],
    [make(ok, { protocols: ['a b'] }), /: protocols is \["a b"\]/],
    [make(ok, { slowReaders: 'wait' }), /: slowReaders is "wait"; give "close" or "drop"$/],
    [make(ok, { idleTimeoutSeconds: 7 }), /: idleTimeoutSeconds is 7; give a whole number from 8/],
    [make(ok, { idleTimeoutSeconds: 961 }), /: idleTimeoutSeconds is 961; /],
    [make(ok, { maxMessageBytes: 0 }), /: maxMessageBytes is 0; give a whole number from 1 to /],
    [make(ok, { maxBackpressureBytes: 1.5 }), /: maxBackpressureBytes is 1\.5; /],
    [make(ok, { sendPings: 1 }), /: sendPings is not true or false$/],
    [make(ok, { compress: 'yes' }), /: compress is not true or false$/],
  ]
  for (const [run, problem] of cases) {
    t.throws(run, { code: 'UWAS_ERR_ROUTE_SOCKET', message: problem })
  }
  t.throws(make(null), {
    message: /^WebSocket of URL pattern "\/x" \(test\/route\/socket\.test\.ts:\d+\): /,
  })
  t.throws(make(ok, { origin: '*' }), {
    code: 'UWAS_ERR_CORE_UNKNOWN_OPTION',
    message: /^socket\("\/x"\) at .*"origin"; did you mean "origins"\?$/,
  })
  t.throws(make(ok, { name: 'a b' }), { code: 'UWAS_ERR_ROUTE_NAME' })
  t.doesNotThrow(make(ok, { compress: undefined, origins: ['https://a.example:8443'] }))
})
