/** The guards of a site by its configuration. Called by `app.ts` and by commands that look at a site. */
import type { SiteConfig } from '../config-types.ts'
import type { ErrorPages } from '../error-pages.ts'
import { type finishing, isPreflight } from '../finish.ts'
import type { SiteRules } from '../site-rules.ts'
import { createGuards, type GuardParts, type SiteGuards } from './guards.ts'

export interface SiteGuardParts extends Pick<GuardParts, 'namesOf'> {
  readonly rules: SiteRules | null
  readonly errorPages: ErrorPages
  readonly finish: ReturnType<typeof finishing>
}

/** A refusal is a reply like any other: its page, its CORS fields. Throws as `createGuards`. */
export function siteGuards(
  { access, limits }: SiteConfig,
  { rules, errorPages, finish, namesOf }: SiteGuardParts,
): SiteGuards | null {
  return createGuards(
    { access, requests: limits.requests },
    {
      namesOf,
      refused: (req, error) => finish((one) => errorPages(one, error))(req),
      isPreflight: (req) => rules !== null && isPreflight(rules, req),
    },
  )
}
