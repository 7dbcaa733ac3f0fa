/** What a page of the site would send along with its form, for the test client. */
import type { Services } from '../core/services.ts'
import { text } from '../http/reply.ts'
import { Request } from '../http/request.ts'
import { CSRF, CSRF_HEADER, csrfToken } from '../was/csrf/csrf.ts'
import { withLateFields } from '../was/late-fields.ts'

interface Proof {
  /** Set-Cookie fields of that page. */
  readonly set: readonly string[]
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** Nothing where the site checks no forms, or the test says itself where its request comes from. */
export function proofFor(
  services: Services,
  cookies: string,
  headers: Headers,
  secure: boolean,
): Proof {
  const isSaid = [CSRF_HEADER, 'origin', 'sec-fetch-site', 'cookie'].some((name) =>
    headers.has(name),
  )
  if (services.find(CSRF) === undefined || isSaid) return { set: [], fields: [] }
  const page = pageRequest(services, cookies, headers, secure)
  const token = csrfToken(page)
  const { headers: fields } = withLateFields(page, text(''))
  return {
    set: (fields ?? []).filter(([name]) => name === 'Set-Cookie').map(([, value]) => value),
    fields: [
      ['sec-fetch-site', 'same-origin'],
      ...(token === '' ? [] : [[CSRF_HEADER, token] as const]),
    ],
  }
}

function pageRequest(
  services: Services,
  cookies: string,
  headers: Headers,
  secure: boolean,
): Request {
  const get = (name: string): string | undefined =>
    name === 'cookie' ? cookies || undefined : (headers.get(name) ?? undefined)
  return new Request({
    method: 'GET',
    path: '/',
    search: '',
    fields: { get, entries: () => [...headers] },
    body: null,
    services,
    remoteAddress: () => '127.0.0.1',
    secure,
    trace: null,
  })
}
