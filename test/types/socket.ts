/**
 * What the compiler must accept and refuse of `socket()`. Checked by type-check.test.ts, never run.
 */
import { type Reply, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import type { Socket, SocketMessage } from '../../src/http/socket.ts'
import type { Converter } from '../../src/route/converters.ts'
import { socket } from '../../src/route/socket.ts'
import { include, urlconf } from '../../src/route/urlconf.ts'

/** Compiles only when both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_proof: Same<A, B>) => {}

const year: Converter<Date> = {
  parse: (source) => (/^\d{4}$/.test(source) ? new Date(`${source}-01-01`) : undefined),
  format: (value) => String(value.getUTCFullYear()),
}

interface User {
  readonly name: string
}
const userOf = async (req: Request): Promise<User | Reply> =>
  req.cookie('user') === undefined ? text('who?', { status: 401 }) : { name: 'mina' }

// Parameters come from the pattern, data from what authenticate returns without a refusal.
socket('/chat/<slug:room>/<int:page>', {
  authenticate: (req) => {
    same<typeof req.params, { room: string; page: number }>(true)
    return userOf(req)
  },
  open: ({ params, data, request }) => {
    same<typeof params, { room: string; page: number }>(true)
    same<typeof data, User>(true)
    same<typeof request.params, { room: string; page: number }>(true)
  },
  message: (socket, message) => {
    same<typeof message, SocketMessage>(true)
    socket.send(`${socket.data.name}: ${message}`)
  },
  close: async (_socket, code, reason) => {
    same<typeof code, number>(true)
    same<typeof reason, string>(true)
  },
})
// Without authenticate there is no data.
socket('/plain', {
  open: ({ data }) => {
    same<typeof data, undefined>(true)
  },
})
const open = (socket: Socket<{ id: number }>): void => socket.join(String(socket.params.id))
socket('/shared/<int:id>', { open })
socket(
  '/year/<year:y>',
  { open: ({ params }) => void params.y.toISOString() },
  { converters: { year } },
)

// @ts-expect-error: the handler wants a number, the pattern gives a string
socket('/shared/<slug:id>', { open })
// @ts-expect-error: unknown converter
socket('/shared/<itn:id>', {})
// @ts-expect-error: unknown handler
socket('/shared', { opened: () => {} })
// @ts-expect-error: unknown option
socket('/shared', {}, { origin: '*' })
// @ts-expect-error: no such policy
socket('/shared', {}, { slowReaders: 'wait' })

const parts = urlconf({ under: '/users/<int:user>', converters: { year } }, (_p, _i, socket) => [
  socket(
    '/<year:y>',
    {
      open: ({ params }) => {
        same<typeof params, { user: number; y: Date }>(true)
      },
    },
    { name: 'live' },
  ),
])
const url = urlconf(include('/users/<int:user>', parts), socket('/a', {}, { name: 'a' })).reverse
url('live', { user: 1, y: new Date() })
url('a')
// @ts-expect-error: a parameter is missing
url('live', { user: 1 })
