/** Names of the generated modules and functions by which a profile of the host tells them apart. */
export const MODULE_NAMES = { INTERPRETER: 'interpreter', REGION: 'region' } as const;
export const PAGE_WALK = 'page-walk';
