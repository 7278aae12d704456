/** Looks of a figure's hover tip. */
export const TIP = { stroke: "var(--line)", lineHeight: 1.35, textPadding: 10 };
