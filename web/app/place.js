// The chat whose games are shown: that of the link's game, or the link's own.

export const place = { chat: null, topic: 0 };
