/** The site's sessions, as its configuration says it. Called by `app.ts`. */
import type { Services } from '../../core/services.ts'
import { SIGNER } from '../../http/signing.ts'
import { DATABASE } from '../../model/database.ts'
import type { SiteSessions } from '../config-types.ts'
import { createCookieStore } from './cookie-store.ts'
import type { Sessions } from './open.ts'
import { PostgresStore } from './postgres-store.ts'

/** Over the services that the store needs: the database, or the site's keys. */
export function createSessions(options: SiteSessions, services: Services): Sessions {
  const { store, cookieName, ...limits } = options
  return {
    store:
      store === 'postgres'
        ? new PostgresStore(services.get(DATABASE), limits)
        : createCookieStore(services.get(SIGNER), limits),
    limits,
    cookieName,
  }
}
