## /privacy

privacy-in-private = I show what I keep about you in our private chat only.
privacy-go-private = Open the private chat
privacy-title = <b>What I keep about you</b>
privacy-account =
    { $count ->
        [one] 👤 Your name and your choices: { $count } entry
       *[other] 👤 Your name and your choices: { $count } entries
    }
privacy-games =
    { $count ->
        [one] 🎲 Games you played or hosted: { $count } entry
       *[other] 🎲 Games you played or hosted: { $count } entries
    }
privacy-results =
    { $count ->
        [one] 🏆 { $count } total, achievement or place on a podium
       *[other] 🏆 { $count } totals, achievements and places on podiums
    }
privacy-packs =
    { $count ->
        [one] 📚 { $count } pack of questions or template
       *[other] 📚 { $count } packs of questions and templates
    }
privacy-bans =
    { $count ->
        [one] ⛔ { $count } ban
       *[other] ⛔ { $count } bans
    }
privacy-log =
    { $count ->
        [one] 📝 { $count } entry in the log of actions
       *[other] 📝 { $count } entries in the log of actions
    }
privacy-nothing = Nothing yet.
privacy-kept = You can have a copy of everything. If you erase it, your name disappears everywhere; results stay in the groups without it, so that totals and proofs remain right.
privacy-policy = <a href="{ $url }">Privacy policy</a>
privacy-export = 📄 Get a copy
privacy-erase = Erase my data…
privacy-exported = Everything that I keep about you.
privacy-erase-sure =
    <b>Erase your data?</b>
    Your name, language, wallet, question packs and achievements will be gone. Your results stay in the groups without your name. Bans stay in force.

    This can’t be undone. You leave lobbies at once; a game that is running is played to its end first.
privacy-sure = Yes, erase
privacy-keep = No, keep
privacy-erasing = I’m erasing your data, and will tell you when it’s done.
privacy-erased = Your data is erased. If you play again, you start anew.
