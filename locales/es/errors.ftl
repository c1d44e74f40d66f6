### Errores nuestros.

error-unexpected = Algo ha fallado por nuestra parte y el error ha quedado registrado. Si nos escribes, indica el código { $trace }.
error-unavailable = Ahora mismo no puedo guardar esto, así que nada ha cambiado. Inténtalo de nuevo en un momento.

game-restored = Hubo que restaurar el servidor del juego. La partida sigue desde el último estado guardado. Si falta tu último toque, repítelo.
