/** Every operation of the admin API. What is not in this list does not exist. */
import { admins } from './admins.ts'
import { audit } from './audit.ts'
import { budgets } from './budgets.ts'
import { credits } from './credits.ts'
import { documentRoute } from './document-route.ts'
import { keys } from './keys.ts'
import { limits } from './limits.ts'
import { organisations } from './organisations.ts'
import { projects } from './projects.ts'
import { reconcile } from './reconcile.ts'
import { reload } from './reload.ts'
import { requests } from './requests.ts'
import type { Route } from './route.ts'
import { secrets } from './secrets.ts'
import { teams } from './teams.ts'
import { tokens } from './tokens.ts'
import { usage } from './usage.ts'

export const routes: readonly Route[] = [
  ...keys,
  ...tokens,
  ...organisations,
  ...teams,
  ...projects,
  ...budgets,
  ...limits,
  ...credits,
  ...usage,
  ...requests,
  ...audit,
  ...secrets,
  ...admins,
  ...reload,
  ...reconcile,
  ...documentRoute,
]
