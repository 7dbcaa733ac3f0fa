/**
 * What the compiler must accept and refuse of `route/`. Checked by type-check.test.ts, never run.
 */

import type { Reply } from '../../src/http/reply.ts'
import { text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import type { View } from '../../src/http/view.ts'
import { compileUrls } from '../../src/route/compile.ts'
import type { Converter } from '../../src/route/converters.ts'
import { host } from '../../src/route/host.ts'
import { include, path, urlconf } from '../../src/route/urlconf.ts'
import { url as circularUrl } from './circle/urls.ts'

/** Compiles only when both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_proof: Same<A, B>) => {}

const ok = () => text('ok')
const byId = (req: Request<{ id: number }>): Reply => text(String(req.params.id + 1))
const year: Converter<Date> = {
  parse: (source) => (/^\d{4}$/.test(source) ? new Date(`${source}-01-01`) : undefined),
  format: (value) => String(value.getUTCFullYear()),
}

// Parameters come from the pattern literal.
path('/<int:id>/<slug:s>/<uuid:u>/<str:t>/<plain>/<path:rest>', (req) => {
  same<
    typeof req.params,
    { id: number; s: string; u: string; t: string; plain: string; rest: string }
  >(true)
  return text('')
})
path('/none', (req) => {
  same<keyof typeof req.params, never>(true)
  return text('')
})
path('/archive/<year:y>', (req) => text(req.params.y.toISOString()), { converters: { year } })
path('/both/<int:id>', { get: byId, post: async (req) => text(req.params.id.toFixed()) })
path('/general/<int:id>', ({ params: { id } }: Request) => text(String(id)))
path('/general', ok as View)
path('/fewer/<int:id>/<slug:s>', byId)

// @ts-expect-error: the view wants a number, the pattern gives a string
path('/wrong/<slug:id>', byId)
// @ts-expect-error: the view wants a parameter that the pattern has not
path('/wrong', byId)
path('/wrong/<int:id>', (req) => {
  // @ts-expect-error: no such parameter
  return text(req.params.di)
})
// @ts-expect-error: unknown converter
path('/wrong/<itn:id>', ok)
// @ts-expect-error: a converter of another path
path('/wrong/<year:y>', ok)
// @ts-expect-error: methods are in capitals
path('/wrong', ok, { methods: ['get'] })
// @ts-expect-error: unknown option
path('/wrong', ok, { nmae: 'wrong' })
// @ts-expect-error: unknown method
path('/wrong', { fetch: ok })
// @ts-expect-error: a view returns a reply
path('/wrong', () => 'text')
const uneven = { parse: () => 1, format: (value: string) => value }
// @ts-expect-error: format has to take what parse gives
path('/wrong/<uneven:x>', ok, { converters: { uneven } })
// @ts-expect-error: the same for a whole URL conf
urlconf({ converters: { uneven } }, () => [])

// Names and parameters of reverse.
const apiUrls = urlconf(
  path('/items/', ok, { name: 'list' }),
  path('/items/<int:id>', byId, { name: 'item' }),
)
const userUrls = urlconf({ under: '/users/<int:user>', converters: { year } }, (path, include) => [
  path(
    '/<year:y>/<slug:s>',
    (req) => {
      same<typeof req.params, { user: number; y: Date; s: string }>(true)
      return text('')
    },
    { name: 'year' },
  ),
  path('/photos', ok, { name: 'photos' }),
  include('/in/<year:since>', apiUrls, { namespace: 'in' }),
])
export const urls = urlconf(
  path('/', ok, { name: 'home' }),
  path('/unnamed', ok),
  path('/posts/<int:id>', byId, { name: 'post' }),
  path('/archive/<year:y>', ok, { name: 'archive', converters: { year } }),
  include('/api', apiUrls, { namespace: 'api' }),
  include('/flat', apiUrls),
  include('/users/<int:user>', userUrls),
)
const url = urls.reverse
same<
  Parameters<typeof url>[0],
  | 'home'
  | 'post'
  | 'archive'
  | 'api:list'
  | 'api:item'
  | 'list'
  | 'item'
  | 'year'
  | 'photos'
  | 'in:list'
  | 'in:item'
>(true)
url('home')
url('post', { id: 7 })
url('archive', { y: new Date() })
url('api:list')
url('api:item', { id: 7 })
url('item', { id: 7 })
url('year', { user: 1, y: new Date(), s: 'a' })
url('photos', { user: 1 })
url('in:item', { user: 1, since: new Date(), id: 7 })

// @ts-expect-error: no such name
url('pots', { id: 7 })
// @ts-expect-error: the namespace belongs to the name
url('api:post', { id: 7 })
// @ts-expect-error: a parameter is missing
url('post')
// @ts-expect-error: a parameter is missing
url('post', {})
// @ts-expect-error: wrong type
url('post', { id: '7' })
// @ts-expect-error: one too many
url('post', { id: 7, page: 2 })
// @ts-expect-error: none wanted
url('home', {})
// @ts-expect-error: the prefix's parameter is missing
url('photos')
// @ts-expect-error: a year is a Date
url('archive', { y: 2026 })

// A URL conf written for a prefix is used beneath such a prefix.
// @ts-expect-error: no parameter `user`
include('/people', userUrls)
// @ts-expect-error: `user` is a string there
include('/users/<slug:user>', userUrls)
// @ts-expect-error: it cannot stand alone
compileUrls(userUrls)
// @ts-expect-error: unknown option
compileUrls(urls, { trailingslash: 'strict' })

// What match() gives is told apart by its keys.
const found = compileUrls(urls, { trailingSlash: 'strict' }).match('GET', '/')
if (found?.route !== undefined) found.view satisfies View
else if (found?.allow !== undefined) found.allow satisfies readonly string[]
else if (found !== undefined) found.redirect satisfies string

// The URL conf and a view that imports its `url` type each other without a circle.
same<ReturnType<typeof circularUrl>, string>(true)
circularUrl('post', { id: 1 })
// @ts-expect-error: still checked
circularUrl('post', { id: 'one' })

// A host's parameters join those of the path, in views and in `reverse`.
const shop = urlconf({ under: '<slug:tenant>.example.org' }, (path) => [
  path(
    '/<int:id>',
    ({ params }) => {
      same<typeof params, { tenant: string; id: number }>(true)
      return text('')
    },
    { name: 'item' },
  ),
])
const hosts = urlconf({ converters: { year } }, (path, _include, _socket, host) => [
  host('<slug:tenant>.example.org', shop, { namespace: 'shop' }),
  host('<year:y>.example.com', urlconf(path('/', ok, { name: 'old' }))),
  path('/', ok),
])
hosts.reverse('shop:item', { tenant: 'acme', id: 7 })
hosts.reverse('old', { y: new Date() })
// @ts-expect-error the tenant is missing
hosts.reverse('shop:item', { id: 7 })
// @ts-expect-error this host brings no tenant
host('www.example.org', shop)
// @ts-expect-error unknown converter
host('<nope:x>.example.org', urlconf())
const domain: string = 'localhost:8080'
urlconf(host(`<slug:tenant>.${domain}`, shop, { namespace: 's' })).reverse('s:item', {
  tenant: 'acme',
  id: 7,
})
