### Words of verify.html and verify.py, which `python -m bot.verifier_words` copies into them.

## Results of the checks

verifier-ok = ok
verifier-failed = FAILED
verifier-holds = The proof holds
verifier-fails = The proof does NOT hold
verifier-unreadable = cannot be read
verifier-too-large = This is not a proof: it is too large for one.
verifier-not-json = This is not a proof: it is not JSON.
verifier-unknown-format = This is not a proof of a known format.
verifier-not-canonical = This is not a proof: it is not in canonical form.
verifier-incomplete = This proof is incomplete: a field is missing or has a value of the wrong type.
verifier-document = the document is intact
verifier-commitment = the seed is the one promised before anybody picked
verifier-opening = rules, game, chat and seed are those promised before anybody picked
verifier-seed = the seed is the one that was promised
verifier-seeds = it is the seed of that number among those fixed in advance for the chat
verifier-seed-alone = the seed was made for this game: none had been fixed in advance
verifier-closing = picking closed as promised, and the round follows from when
verifier-beacon = the randomness fits its signature; compare the round with the public beacon
verifier-beacon-missing = this round did not come in time, so the draw was made without it
verifier-beacon-signed = the round is signed by the beacon, whose key is known
verifier-beacon-unpinned = the round is signed with the key in the promise, which this program does not know: compare it
verifier-beacon-absent = the draw used this round of the beacon
verifier-entries = every player has one number, and every number one player
verifier-absent = absent players have the numbers that follow from the seed
verifier-digest = the digest of the entries matches
verifier-order = the numbers were drawn in the order that follows from seed, entries and beacon
verifier-places = the winners follow from the draw
verifier-prizes = the prizes are split by the rules
verifier-void = the draw is void: no number was drawn, and nobody won
verifier-log = the public log contains opening, closing and outcome
verifier-head = the log’s head is signed with this key
verifier-kept-commitment = it is the commitment that you kept
verifier-kept-head = the log has grown from the head that you kept
verifier-kept-head-alone = not compared: for a head of another size, ask the operator for a consistency file

## The page

verifier-page-title = Verify a draw
verifier-page-about = Everything is computed on this device. Nothing is sent anywhere.
verifier-page-drop = Drop the proof here, or tap to choose it
verifier-page-seal = The seal that you kept (optional)
verifier-page-kept = A head of the log that you kept, size:root (optional)
verifier-page-grown = A consistency file, if that head has another size
verifier-page-working = Checking…
