/**
 * Chooses between the addon and its stand-in, once per process or worker thread. Called at start by
 * `app.ts` and the commands, which print one warning line when there is a `reason`.
 */
import { fileURLToPath } from 'node:url'
import { createError } from '../core/errors.ts'
import { loadAddon } from './addon.ts'
import { createNative, type Native } from './skin.ts'
import { standIn } from './stand-in.ts'

/** Where native/install.mjs puts the addon. `src/native` and `dist/native` are equally deep. */
const ADDON_FILE = fileURLToPath(new URL('../../build/addon/uwas.node', import.meta.url))

/**
 * The addon, or its stand-in with the `reason` when the addon is missing or does not load.
 *
 * `setting` is the environment variable UWAS_NATIVE: `off` takes the stand-in in any case, `on`
 * throws UWAS_ERR_NATIVE_ADDON where the addon does not load; unset or empty is as described above.
 * Another value is UWAS_ERR_CORE_INVALID_OPTION. `addonFile` is for tests.
 */
export function loadNative(
  setting: string = process.env['UWAS_NATIVE'] ?? '',
  addonFile: string = ADDON_FILE,
): Native {
  if (!['', 'on', 'off'].includes(setting)) {
    const problem = `${JSON.stringify(setting)} is neither "on" nor "off"`
    throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where: 'UWAS_NATIVE', problem })
  }
  if (setting === 'off') return createNative(standIn, 'stand-in', 'UWAS_NATIVE=off')
  try {
    return createNative(loadAddon(addonFile), 'addon')
  } catch (error) {
    const reason = (error as Error).message
    if (setting === 'on') throw createError('UWAS_ERR_NATIVE_ADDON', { reason }, error)
    return createNative(standIn, 'stand-in', reason)
  }
}
