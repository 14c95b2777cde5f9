/** What was done since the array was emptied last. */
export declare const calls: { readonly call: string; readonly path: string }[];
