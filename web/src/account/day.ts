/** "Nov 25, 2026", from the API's ISO 8601. */
export const day = (time: string): string => new Date(time).toLocaleDateString("en", { dateStyle: "medium" });
