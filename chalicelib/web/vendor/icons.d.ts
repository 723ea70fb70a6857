export const shapes: Record<string, [string, Record<string, string>][]>;
