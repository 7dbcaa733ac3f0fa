import t from 'tap'
import { chooseProtocol, isAllowedOrigin, isHandshake } from '../../src/http/handshake.ts'
import { Reply } from '../../src/http/reply.ts'
import { SocketReply } from '../../src/http/socket.ts'

const GOOD: Record<string, string> = {
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

t.test('a handshake is what RFC 6455 section 4.2.1 says, and nothing else', async (t) => {
  const judge = (changes: Record<string, string | undefined>) => {
    const fields: Record<string, string | undefined> = { ...GOOD, ...changes }
    return isHandshake((name) => fields[name])
  }
  t.ok(judge({}))
  t.ok(judge({ upgrade: 'WebSocket', connection: 'keep-alive, upgrade' }), 'Firefox')
  for (const name of Object.keys(GOOD)) t.notOk(judge({ [name]: undefined }), `without ${name}`)
  for (const changes of [
    { upgrade: 'h2c' },
    { upgrade: 'websocket/13' },
    { connection: 'close' },
    { connection: 'upgraded' },
    { 'sec-websocket-version': '8' },
    { 'sec-websocket-version': '13, 8' },
    { 'sec-websocket-key': '' },
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZR==' },
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ=' },
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZ*==' },
  ])
    t.notOk(judge(changes), JSON.stringify(changes))
})

t.test('a subprotocol is one that both sides name', async (t) => {
  t.equal(chooseProtocol(undefined, ['a']), '')
  t.equal(chooseProtocol('a', []), '')
  t.equal(chooseProtocol('b, a', ['a', 'b']), 'b')
  t.equal(chooseProtocol(' A,a ', ['a']), 'a', 'letters count')
  t.equal(chooseProtocol(',,', ['']), '')
})

t.test('without a Host nobody is the same site', async (t) => {
  t.notOk(isAllowedOrigin('http://a', undefined, 'same'))
  t.ok(isAllowedOrigin('http://a', 'a:80', 'same'))
  t.notOk(isAllowedOrigin('https://a', 'a:80', 'same'))
  t.ok(isAllowedOrigin('http://[::1]:1', '[::1]:1', 'same'))
  t.notOk(isAllowedOrigin('ftp://a', 'a', 'same'))
})

t.test('101 is a status of nothing but an accepted handshake', async (t) => {
  t.throws(() => new Reply(101, null, null), {
    code: 'UWAS_ERR_HTTP_STATUS',
    message: 'status 101 is not a whole number from 200 to 599',
  })
  const definition = { handlers: {}, options: {} } as SocketReply['definition']
  t.equal(new SocketReply(definition, 1, '').status, 101)
})
