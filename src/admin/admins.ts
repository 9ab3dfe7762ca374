/** `/admins`: people and programs that administer, each with a role and a key of their own. */
import type { Role } from '../core/principal.ts'
import { credentials } from './credentials.ts'
import { keyShape } from './key-form.ts'
import { role } from './schema.ts'

const { alias, organisation, user, scopes, metadata, expiresAt, expiresIn } = keyShape

export const admins = credentials({
  group: 'admins',
  noun: 'admin',
  title: 'Admin',
  read: 'admin',
  write: 'admin',
  rights: 'admin',
  shape: {
    role: role
      .exclude(['owner', 'member'])
      .describe('What they may do: `admin` everything, `operator` no secrets, tenants or admins, `viewer` only look.'),
    alias,
    organisation: organisation.describe("The one organisation they see. Absent: the caller's own."),
    user,
    scopes,
    metadata,
    expiresAt,
    expiresIn,
  },
  keptIn: ({ services }) => services.admins,
  roleOf: (body, before) => (body['role'] as Role | undefined) ?? before?.role ?? 'viewer',
})
