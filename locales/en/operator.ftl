# What the command line says to whoever checks a draw.

verify-holds = The proof holds: game { $game }.
verify-fails = The proof does NOT hold: game { $game }.
verify-passed = ok
verify-failed = FAILED
verify-document = The document is whole: it is written the one right way and its checksum fits.
verify-commitment = The secret seed is the one that was promised before anybody picked: its SHA-256 is { $hash }.
verify-opening = What was promised before anybody picked is what was played: rules, game, chat and seed have the SHA-256 { $hash }.
verify-seed = The seed is the one whose SHA-256 was promised: { $hash }.
verify-seeds = It is seed { $number } of the { $size } that were fixed ahead for this chat: { $root }.
verify-seed-alone = The seed was made for this game: none had been fixed ahead.
verify-closing =
    { $round ->
        [0] Picking closed after it opened.
       *[other] The beacon’s round { $round } is the one that the promise leads to.
    }
verify-beacon-signed = Round { $round } is signed by the beacon { $chain }, whose key is known.
verify-beacon-unpinned = Round { $round } is signed with the key that the promise names for the beacon { $chain }. Compare that key: it is none that this program knows.
verify-beacon-unchecked = The randomness of round { $round } fits its signature. The signature is NOT checked here: compare the round with the public beacon { $chain }.
verify-beacon-absent = The draw was made with round { $round } of the beacon.
verify-void =
    { $reason ->
        [beacon] The draw is void, as its beacon did not come: nothing was drawn, nobody won.
       *[operator] The draw is void, as an operator ended it: nothing was drawn, nobody won.
    }
verify-log = The public log holds opening, closing and outcome: { $size } leaves, root { $root }.
verify-head = The head of the log is signed with the key { $key }.
verify-head-unchecked = The signature of the log’s head is NOT checked here. Its key: { $key }.
verify-kept-commitment = It is the seal that you kept: { $hash }.
verify-kept-head = The log has grown from the head that you kept: { $size } leaves, root { $root }.
verify-bad-head = A head of the log is written SIZE:ROOT, the root as 64 hex digits.
verify-entries =
    { $count ->
        [one] One entry with one number of 1 to { $highest }, and nobody has two.
       *[other] { $count } entries, each with a number of its own from 1 to { $highest }, and nobody has two.
    }
verify-absent =
    { $count ->
        [0] Nobody was given a number by the game.
        [one] One absent player was given a number, the one that the seed gives.
       *[other] { $count } absent players were given numbers, the ones that the seed gives.
    }
verify-digest = The digest of the entries fits: { $hash }.
verify-beacon = The randomness of round { $round } fits its signature. Compare the round with the public beacon { $chain }.
verify-beacon-missing = The round { $round } of the beacon did not come in time, so the draw was made without it.
verify-order =
    { $count ->
        [0] Nothing had to be drawn.
        [one] One number was drawn, the one that seed and entries give.
       *[other] { $count } numbers were drawn, in the order that seed and entries give.
    }
verify-places =
    { $count ->
        [one] The winner follows from the draw.
       *[other] The { $count } winners and their places follow from the draw.
    }
verify-prizes = The prizes are split as the rules say, and add up to { $pool }.
verify-not-json = This is not a proof: the file is not JSON.
verify-too-large = This is not a proof: the file is too large for one.
verify-unknown-format = This is not a proof of a format that this version knows.
verify-not-canonical = This is not a proof: it is not written the one way that a proof is written.
verify-incomplete = This is not a whole proof: something in it is missing or of the wrong kind.
verify-unreadable = The file { $path } can’t be read: { $reason }
