/** Clients that come back: whose tickets are good, and for how long. */
import t, { type Test } from 'tap'
import { createLog } from '../../../src/core/log.ts'
import { text } from '../../../src/http/reply.ts'
import { Certificates } from '../../../src/server/tls/certificates.ts'
import { TICKET_KEY_MS, TicketKeys } from '../../../src/server/tls/ticket-keys.ts'
import { serve } from '../../support/application.ts'
import { authorityOf, replace } from '../../support/certificates.ts'
import { dialTls, rawTls, tlsOf } from '../../support/tls.ts'

const authority = authorityOf(t)
const own = authority.issue('own', ['x.test'])
const GET = 'GET / HTTP/1.1\r\nHost: x.test\r\n\r\n'

/** A connection that comes with `session`: whether it was taken, and what it may come back with. */
async function visit(port: number | null, version: 'TLSv1.2' | 'TLSv1.3', session?: Buffer) {
  const socket = await dialTls(port ?? 0, {
    servername: 'x.test',
    minVersion: version,
    maxVersion: version,
    ...(session !== undefined && { session }),
  })
  let next: Buffer | undefined
  // By TLS 1.3 it comes behind the handshake.
  socket.on('session', (ticket) => {
    next = ticket
  })
  const { responses } = await rawTls(port, GET, { socket })
  t.equal(responses[0]?.status, 200)
  return { isReused: socket.isSessionReused(), session: next ?? socket.getSession() }
}

async function server(t: Test, tickets: TicketKeys): Promise<number | null> {
  const { tlsPort } = await serve(t, () => text('x'), { tls: await tlsOf([own], { tickets }) })
  return tlsPort
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a ticket of one worker is good for another (${version})`, async (t) => {
    const tickets = new TicketKeys()
    const [one, another, stranger] = [
      await server(t, tickets),
      await server(t, new TicketKeys(tickets.seed())),
      await server(t, new TicketKeys()),
    ]
    const first = await visit(one, version)
    t.notOk(first.isReused)
    t.ok((await visit(one, version, first.session)).isReused)
    t.ok((await visit(another, version, first.session)).isReused)
    t.notOk((await visit(stranger, version, first.session)).isReused)
  })
}

t.test('a ticket outlives the renewal of the certificate', async (t) => {
  const place = authority.issue('place', ['x.test'])
  const certificates = await Certificates.load([place], 'intermediate')
  const { tlsPort } = await serve(t, () => text('x'), {
    tls: await tlsOf([own], { certificates }),
  })
  const { session } = await visit(tlsPort, 'TLSv1.3')
  replace(place, own)
  await certificates.look(createLog(() => {}))
  t.ok((await visit(tlsPort, 'TLSv1.3', session)).isReused)
})

t.test('keys change together, and a later one does not tell an earlier one', async (t) => {
  const start = { secret: Buffer.alloc(32, 7).toString('base64'), fromMs: 1_000 }
  const old = new TicketKeys(start)
  const first = old.current(1_000)
  t.equal(first.length, 48)
  t.ok(old.current(TICKET_KEY_MS + 999).equals(first))
  const second = old.current(TICKET_KEY_MS + 1_000)
  t.notOk(second.equals(first))
  const late = new TicketKeys(old.seed(TICKET_KEY_MS + 1_000))
  t.notOk(late.current(1_000).equals(first), 'it has only what comes')
  t.ok(late.current(TICKET_KEY_MS + 1_000).equals(second))
  const sixth = 5 * TICKET_KEY_MS + 5_000
  t.ok(late.current(sixth).equals(new TicketKeys(start).current(sixth)))
  t.notOk(new TicketKeys().current().equals(new TicketKeys().current()))
})
