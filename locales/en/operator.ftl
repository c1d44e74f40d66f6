# Output of the commands that check a draw.

verify-holds = The proof holds: game { $game }.
verify-fails = The proof does NOT hold: game { $game }.
verify-passed = ok
verify-failed = FAILED
verify-document = The document is intact: it is in canonical form and its checksum matches.
verify-commitment = The secret seed is the one that was promised before anybody picked. Its SHA-256 is { $hash }.
verify-opening = The rules, game, chat and seed are the ones that were promised before anybody picked. Their SHA-256 is { $hash }.
verify-seed = The seed matches the SHA-256 that was promised: { $hash }.
verify-seeds = It is seed { $number } of the { $size } seeds that were fixed in advance for this chat: { $root }.
verify-seed-alone = The seed was created for this game; none had been fixed in advance.
verify-closing =
    { $round ->
        [0] Picking closed after it had opened.
       *[other] Round { $round } of the beacon is the one that follows from the promise and the closing time.
    }
verify-beacon-signed = Round { $round } is signed by the beacon { $chain } with a key that this program knows.
verify-beacon-unpinned = Round { $round } is signed with the key that the promise names for the beacon { $chain }. This program does not know that key, so compare it yourself.
verify-beacon-unchecked = The randomness of round { $round } matches its signature. The signature is NOT checked here: compare the round with the public beacon { $chain }.
verify-beacon-absent = The draw used round { $round } of the beacon.
verify-void =
    { $reason ->
        [beacon] The draw is void because the beacon’s round was not published in time: no number was drawn, and nobody won.
       *[operator] The draw is void because an operator ended it: no number was drawn, and nobody won.
    }
verify-log = The public log contains the opening, closing and outcome: { $size } leaves, root { $root }.
verify-head = The log’s head is signed with the key { $key }.
verify-head-unchecked = The signature of the log’s head is NOT checked here. Its key is { $key }.
verify-kept-commitment = The seal is the one that you kept: { $hash }.
verify-kept-head = The log still contains everything from the head that you kept: { $size } leaves, root { $root }.
verify-kept-head-alone = The head that you kept is NOT compared. It has { $size } leaves and the one in the proof has { $now }, so a consistency file is needed: ask the operator for it, and pass it with --consistency.
verify-no-consistency = The file { $path } is not a consistency proof: { $reason }.
verify-bad-head = Write a head of the log as SIZE:ROOT, with the root as 64 hex digits.
verify-entries =
    { $count ->
        [one] One entry with one number from 1 to { $highest }.
       *[other] { $count } entries with different numbers from 1 to { $highest }, one for each player.
    }
verify-absent =
    { $count ->
        [0] No absent player was given a number.
        [one] One absent player was given a number, and it follows from the seed.
       *[other] { $count } absent players were given numbers, and these follow from the seed.
    }
verify-digest = The digest of the entries matches: { $hash }.
verify-beacon = The randomness of round { $round } matches its signature. Compare the round with the public beacon { $chain }.
verify-beacon-missing = Round { $round } of the beacon was not published in time, so the draw was made without it.
verify-order =
    { $count ->
        [0] No number had to be drawn.
        [one] One number was drawn, and it follows from the seed and the entries.
       *[other] { $count } numbers were drawn, in the order that follows from the seed and the entries.
    }
verify-places =
    { $count ->
        [one] The winner follows from the draw.
       *[other] The { $count } winners and their places follow from the draw.
    }
verify-prizes-words = The prizes are those promised before anybody picked: { $prizes }.
verify-prizes = The prizes are split by the rules and add up to { $pool }.
verify-not-json = This is not a proof: the file is not JSON.
verify-too-large = This is not a proof: the file is too large.
verify-unknown-format = This version does not know the format of this proof.
verify-not-canonical = This is not a proof: it is not in canonical form.
verify-incomplete = This proof is incomplete: a field is missing or has a value of the wrong type.
verify-unreadable = The file { $path } can’t be read: { $reason }
