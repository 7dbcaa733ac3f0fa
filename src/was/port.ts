/** The port that a site listens on, as the environment and the command line write it. */

export const DEFAULT_PORT = 8080
export const DEFAULT_TLS_PORT = 8443

/** A port as text: undefined when there is none, null when it is no port. */
export function readPort(text: string | undefined): number | null | undefined {
  if (text === undefined || text === '') return undefined
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : null
}
