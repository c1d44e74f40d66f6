### What went wrong on our side, said honestly.

error-unexpected = Something broke on our side, and it was noted. If you report it, quote { $trace }.
error-unavailable = I can’t save that right now, so nothing has changed. Please try again in a moment.

game-restored = The game server had to be restored. The game goes on from its last saved state; if your latest tap is missing, please tap again.
