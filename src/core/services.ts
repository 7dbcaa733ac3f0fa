/**
 * What a site's requests can reach (database, templates, …) without globals: `app.ts` puts each
 * service in, the folder that owns it takes it out by its key. Knows none of them by name.
 */
import { createError } from './errors.ts'

/** Names a service and carries its type. Made once, beside the class it stands for. */
export interface ServiceKey<T> {
  readonly name: string
  /** What to do when the site has no such service; ends the error message. */
  readonly hint: string
  /** Never set: holds the type. */
  readonly type?: T
}

/** What a site has, by key: its database, templates, record of timings, whatever it provides. */
export class Services {
  readonly #byKey = new Map<ServiceKey<unknown>, unknown>()

  /** Puts a service in; a second one under the same key replaces the first. */
  provide<T>(key: ServiceKey<T>, service: T): this {
    this.#byKey.set(key, service)
    return this
  }

  find<T>(key: ServiceKey<T>): T | undefined {
    return this.#byKey.get(key) as T | undefined
  }

  /** The service, or UWAS_ERR_CORE_SERVICE_MISSING with the key's hint. */
  get<T>(key: ServiceKey<T>): T {
    const service = this.#byKey.get(key)
    if (service === undefined) {
      throw createError('UWAS_ERR_CORE_SERVICE_MISSING', { service: key.name, hint: key.hint })
    }
    return service as T
  }
}
