### Errors on our side.

error-unexpected = Something went wrong on our side, and the error was logged. If you report it, please quote { $trace }.
error-unavailable = I can’t save this right now, so nothing has changed. Please try again in a moment.

game-restored = The game server had to be restored. The game continues from its last saved state. If your last tap is missing, please tap again.
