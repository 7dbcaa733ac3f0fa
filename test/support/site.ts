/** A whole site over real sockets and a real PostgreSQL, and requests whose every field the test writes itself. */
import type { Test } from 'tap'
import { createTestClient, type TestClient } from '../../src/testing/test-client.ts'
import type { UserConfig } from '../../src/was/config.ts'
import { temporaryFolder } from './catalogue.ts'
import { testDatabaseUrl } from './postgres.ts'

export const SECRET = 'a secret of more than thirty-two bytes, for tests'

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  /** The cookies that were set: name → value; an empty value for one that was taken away. */
  readonly set: Readonly<Record<string, string>>
  /** The Set-Cookie fields as they came. */
  readonly setCookies: readonly string[]
}

export interface Site {
  readonly client: TestClient
  /** One request without a cookie jar. */
  ask(
    method: string,
    path: string,
    headers?: Record<string, string>,
    body?: string,
  ): Promise<Answer>
}

/** Starts the site; closed when the test ends. A database of its own where it is asked for. */
export async function site(
  t: Test,
  config: UserConfig,
  { hasDatabase = true, root = temporaryFolder(t) } = {},
): Promise<Site> {
  const env: Record<string, string> = hasDatabase ? { DATABASE_URL: await testDatabaseUrl() } : {}
  const client = await createTestClient({ secrets: [SECRET], ...config }, { root, env })
  t.teardown(() => client.close())
  return {
    client,
    async ask(method, path, headers = {}, body) {
      const response = await fetch(client.url + path, {
        method,
        headers,
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
      })
      const setCookies = response.headers.getSetCookie()
      const pairs = setCookies.map((field) => {
        const [pair = ''] = field.split(';')
        return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const
      })
      return {
        status: response.status,
        text: await response.text(),
        headers: response.headers,
        set: Object.fromEntries(pairs),
        setCookies,
      }
    },
  }
}
