### Recurring games, the word when a game opens, and the group’s time zone.

## Messages to the group

recurring-soon = ⏰ <b>{ $name }</b> starts { $moment }: { $time }
recurring-skipped = ⏭ <b>{ $name }</b> is off this time: { $time }
recurring-busy = ⏭ <b>{ $name }</b> ({ $time }) is left out: another game is still on here.
recurring-missed = ⏭ <b>{ $name }</b> ({ $time }) is left out: I was away, and now it’s too late.
recurring-muted = ⏭ I couldn’t open <b>{ $name }</b> in { $chat } ({ $time }): I may not send messages there. Please let me write again.
recurring-refused = ⏭ <b>{ $name }</b> ({ $time }) couldn’t be opened. Please check its template.
recurring-template = ⏸ A recurring game is paused: its template has been deleted. Admins see it in /recurring.
recurring-not-a-host = ⏸ <b>{ $name }</b> is paused: the person who set it up no longer hosts here. Another admin can resume it in /recurring.
button-remind = 🔔 Remind me

## /recurring

rec-none =
    <b>Recurring games</b>

    None yet. I can open one of your templates by myself, say every Friday at 20:00.
rec-list = <b>Recurring games</b>
rec-name = ⭐ <b>{ $name }</b>
rec-no-template = ⚠️ <b>The template has been deleted</b>
rec-schedule = 🗓 { $days } { $time } · { $rhythm } · { $city }
rec-month-day = day { $day },
rec-rhythm-day = { $every ->
    [1] every day
   *[other] every { $every } days
}
rec-rhythm-week = { $every ->
    [1] every week
   *[other] every { $every } weeks
}
rec-rhythm-month = { $every ->
    [1] every month
   *[other] every { $every } months
}
rec-next = ▶️ Next: { $time }
rec-skipping = ⏭ Without { $date }
rec-paused-host = ⏸ Paused
rec-paused-template = ⏸ Paused: its template has been deleted
rec-paused-not-a-host = ⏸ Paused: the person who set it up no longer hosts here
rec-last-busy = ⚠️ Last time left out: another game was on
rec-last-missed = ⚠️ Last time left out: I was away
rec-last-muted = ⚠️ Last time left out: I may not send messages here
rec-last-removed = ⚠️ Last time left out: I wasn’t in the group
rec-last-refused = ⚠️ Last time it couldn’t be opened: check the template
rec-announce = { $minutes ->
    [0] 📣 No announcement
   *[other] 📣 Announced { $ahead } ahead
}
rec-new = ➕ New
rec-which = <b>Which template shall I open?</b>
rec-no-templates = Save a template first: the form of a new game has a button for that.
rec-to-form = ⭐ Make a template
rec-form =
    ⭐ <b>{ $name }</b>
    { $schedule }
    { $announce }
rec-create = ✅ That’s it
rec-created = I’ll open it by myself from now on.
rec-skip = ⏭ Skip { $date }
rec-unskip = ↩️ Don’t skip { $date }
rec-pause = ⏸ Pause
rec-resume = ▶️ Resume
rec-delete = 🗑 Delete
rec-delete-sure = Delete this recurring game?

## The time zone of a group

dlg-name-time_zone = Time zone
form-zone = Which time zone is the group in? Tap one, or write a city, or an offset such as UTC+3.
form-zone-found = Which of these?
form-zone-unknown = ⚠️ I don’t know that place. Try a large city nearby, or an offset such as UTC+3.

## /nextgame

next-on = 🔔 I’ll write to you in private when a game opens here.
next-on-toast = I’ll write to you in private when a game opens here.
next-start-first = 🔔 Noted. Open our private chat once, so that I can write to you there.
next-to-private = Open private chat
next-on-in-private = 🔔 I’ll write to you here when a game opens in <b>{ $chat }</b>.
next-word = 🎲 <b>{ $title }</b> is open in <b>{ $chat }</b>!
next-go = To the game
next-stop = 🔕 No more of these
next-stop-chat = 🔕 { $chat }
next-off = 🔕 You won’t hear from me any more when a game opens in <b>{ $chat }</b>.
next-list = 🔔 I write to you when a game opens in these groups. Tap one to stop that.
next-none = 🔕 You follow no group. Send /nextgame in a group, and I’ll write to you here when a game opens there.
cmd-about-nextgame = Get a private word when a game opens
cmd-about-recurring = Games that open by themselves
