/** How many seconds a revocation may go unnoticed: by default, and at most. */
export const REVOCATION_DELAY_SECONDS = { default: 15, most: 30 } as const;
