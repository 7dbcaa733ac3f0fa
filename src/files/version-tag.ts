/**
 * The tag of a file whose contents nobody has read: of its size and the time of its last modification, to the
 * nanosecond. Called for files above the ceiling, and for those of `file()`.
 */
import { strongEtag, weakEtag } from '../http/etag.ts'
import type { FileIdentity } from './identity.ts'

/** File systems count time in steps of up to two seconds (FAT): a second write within one shows in no time stamp. */
const STEP_MS = 2000

/**
 * Weak while another version could still get the same size and time (RFC 9110 section 8.8.1), strong from then
 * on. Nothing of the machine is in it, so that copies that keep the time have one tag.
 */
export function versionTag(identity: FileIdentity): string {
  return becomesStrongIn(identity) > 0 ? weakEtag(identity.version) : strongEtag(identity.version)
}

/** Milliseconds until the tag is strong; 0 when it is. By the time of the change, which nobody can set back. */
export function becomesStrongIn({ changedMs }: FileIdentity): number {
  return Math.max(0, changedMs + STEP_MS - Date.now())
}
