### Выбери число.

pick-number-name = Выбери число
pick-number-sign = 🎱
pick-number-hint = Займите число, которого нет у других. Чьё вытянут первым, тот и победит. В обратном режиме — чьё вытянули, тот выбывает, а побеждает оставшийся последним.

## Лобби

pick-number-about = { $winners ->
    [1] Каждый берёт число. Чьё вытянут первым, тот и победит.
    [one] Каждый берёт число. Победит { $winners } игрок, чьё число вытянут первым.
    [few] Каждый берёт число. Победят { $winners } игрока, чьи числа вытянут первыми.
   *[other] Каждый берёт число. Победят { $winners } игроков, чьи числа вытянут первыми.
}
pick-number-about-reverse = { $winners ->
    [one] 🔄 Наоборот: каждый берёт число, и чьё вытянули, тот выбывает. Победит последний оставшийся.
    [few] 🔄 Наоборот: каждый берёт число, и чьё вытянули, тот выбывает. Победят последние { $winners } игрока.
   *[other] 🔄 Наоборот: каждый берёт число, и чьё вытянули, тот выбывает. Победят последние { $winners } игроков.
}
pick-number-beacon-used = 🎲 К розыгрышу подмешают публичное случайное число, которое заранее никому не известно. { $policy ->
    [void] Если оно не выйдет, никто не выиграет.
   *[wait] Если оно запоздает, розыгрыш его подождёт.
}

## Выбор

pick-number-pick = Возьмите число от 1 до { NUMBER($highest, useGrouping: 0) }. Пока есть время, его можно поменять.
pick-number-pick-secretly = 🙈 Возьмите число от 1 до { NUMBER($highest, useGrouping: 0) } кнопкой ниже. До конца выбора никто не видит, у кого какое число.
pick-number-picked-count = ✅ Выбрали: <b>{ $picked }</b> из { $players }
pick-number-picked = ✅ Выбрали { $picked } из { $players }:
pick-number-missing = 💭 Ещё думают: { $names }
pick-number-open-until = ⏳ Выбор открыт до { $time }
pick-number-closes = ⏳ Выбор закроется { $at }
pick-number-seal =
    🔒 Розыгрыш запечатан:
    <code>{ $commitment }</code>

## Два сообщения розыгрыша, которые стоит сохранить

pick-number-begun = 🎱 <b>{ $title }</b>: выбираем числа, от 1 до { NUMBER($highest, useGrouping: 0) }!
pick-number-sealed =
    🔒 Розыгрыш запечатан. <b>Сохраните это сообщение.</b>
    Печать <code>{ $commitment }</code>
    Игра <code>{ $game }</code>
pick-number-bound = { $winners ->
    [1] Числа от 1 до { NUMBER($highest, useGrouping: 0) }, выигрывает вытянутое первым.
   *[other] Числа от 1 до { NUMBER($highest, useGrouping: 0) }, выигрывают первые вытянутые: { $winners }.
}
pick-number-bound-reverse = { $winners ->
    [1] 🔄 Числа от 1 до { NUMBER($highest, useGrouping: 0) }, выигрывает оставшееся последним.
   *[other] 🔄 Числа от 1 до { NUMBER($highest, useGrouping: 0) }, выигрывают последние оставшиеся: { $winners }.
}
pick-number-bound-absent = { $policy ->
    [auto] Кто не выберет число, получит одно из свободных.
   *[drop] Кто не выберет число, выбывает.
}
pick-number-bound-beacon = 🎲 drand <code>{ $chain }</code>; если запоздает, { $policy ->
    [void] розыгрыш недействителен.
   *[wait] розыгрыш ждёт, не дольше суток.
}
pick-number-bound-alone = Без публичного случайного числа.
pick-number-bound-seed = 🌱 Секрет { NUMBER($number, useGrouping: 0) } из { NUMBER($size, useGrouping: 0) }, заготовленных для этого чата: <code>{ $root }</code>
pick-number-bound-fresh = 🌱 Секрет создан только что: заготовленного для этого чата не было.
pick-number-over = ✋ <b>{ $title }</b>: выбор закончен, { $entries ->
    [one] { $entries } число
    [few] { $entries } числа
   *[other] { $entries } чисел
} в игре. Тянем!
pick-number-final =
    🧾 Список окончательный. <b>Сохраните это сообщение.</b>
    Список ({ $entries }) <code>{ $digest }</code>
    Игра <code>{ $game }</code>
pick-number-final-beacon = 🎲 Решает раунд drand { $round }, { $at }
pick-number-final-file = Список в файле, и это его SHA-256.

## Розыгрыш

pick-number-awaiting-beacon = 🔒 Все числа приняты, изменить уже ничего нельзя. Розыгрыш начнётся, когда выйдет публичное случайное число: раунд drand { $round }, { $at }.
pick-number-beacon-late = Публичное случайное число запаздывает. { $policy ->
    [void] Если оно скоро не выйдет, розыгрыш будет недействителен.
   *[wait] Розыгрыш ждёт его, но не дольше суток.
}
pick-number-drum-roll = { $entries ->
    [one] В игре { $entries } число. Сейчас вытянем первое…
    [few] В игре { $entries } числа. Сейчас вытянем первое…
   *[other] В игре { $entries } чисел. Сейчас вытянем первое…
}
pick-number-drawn = 🎲 Вытянуты: { $numbers }
pick-number-place = { $mark } { $name }, число { NUMBER($number, useGrouping: 0) }
pick-number-places-left = { $left ->
    [one] Осталось { $left } призовое место…
    [few] Осталось { $left } призовых места…
   *[other] Осталось { $left } призовых мест…
}
pick-number-out = 💥 Выбыли ({ $out }), начиная с последних: { $names }
pick-number-standing = 🧍 В игре ({ $standing }): { $names }

## Итоги

pick-number-winner = { $mark } { $name }, число { NUMBER($number, useGrouping: 0) }
pick-number-winner-prize = { $mark } { $name }, число { NUMBER($number, useGrouping: 0) }: <b>{ $prize }</b>
pick-number-tally = { $players ->
    [one] { $players } игрок; вытянуто чисел: { $drawn } из { $highest }.
    [few] { $players } игрока; вытянуто чисел: { $drawn } из { $highest }.
   *[other] { $players } игроков; вытянуто чисел: { $drawn } из { $highest }.
}
pick-number-rest = Играли ещё: { $names }
pick-number-without = Без числа: { $names }
pick-number-assigned = Получили случайное число: { $names }
pick-number-opened =
    🔓 Секрет: <code>{ $seed }</code>
    🔒 Был запечатан: <code>{ $commitment }</code>

## Своя доска игрока

pick-number-own-pick = Ваш выбор, от 1 до { NUMBER($highest, useGrouping: 0) }:
pick-number-own-number = Ваше число — <b>{ NUMBER($number, useGrouping: 0) }</b>. Чтобы поменять, нажмите другое свободное.
pick-number-own-drawing = В розыгрыше ваше число <b>{ NUMBER($number, useGrouping: 0) }</b>. Держим кулаки.
pick-number-own-out = Ваше число <b>{ NUMBER($number, useGrouping: 0) }</b> вытянули.
pick-number-own-without = Когда выбор закрылся, числа у вас не было, и эту игру вы пропустили.
pick-number-own-lost = Числу <b>{ NUMBER($number, useGrouping: 0) }</b> в этот раз не повезло. Спасибо за игру.
pick-number-own-won = { $place } Вы победили с числом <b>{ NUMBER($number, useGrouping: 0) }</b>. Поздравляем!
pick-number-own-won-prize = { $place } Вы выиграли <b>{ $prize }</b> с числом <b>{ NUMBER($number, useGrouping: 0) }</b>. Поздравляем!
pick-number-own-line = Ваше число — <b>{ $number }</b>.

## Ответы на нажатия

tap-picked = Ваше число — { NUMBER($number, useGrouping: 0) }.

## Правила и доказательство

pick-number-rules =
    🎱 <b>Выбери число</b>

    <b>1.</b> Присоединяйтесь, пока открыта запись. Когда игроков хватит, останется последний шанс, а потом откроется поле с числами.
    <b>2.</b> Возьмите свободное число, в группе или тайно. У числа один хозяин. Пока есть время, его можно поменять.
    <b>3.</b> Числа тянут со всего поля. Свободные пропускают; побеждают те, чьи числа вытянули первыми, в этом же порядке.

    🔄 <b>Обратный режим:</b> чьё число вытянули, тот выбывает. Побеждают последние оставшиеся, самый последний — на первом месте.

    <blockquote expandable>💰 <b>Призы:</b> первому половина, остальным по убыванию; или поровну; или по процентам ведущего. В сумме всегда ровно весь фонд.

    🔒 <b>Честность:</b> до выбора бот публикует отпечаток (SHA-256) правил и секрета. Когда выбор закончен, розыгрыш никто не остановит. Секрет выходит вместе с итогами, пересчитать розыгрыш может каждый: /fair.</blockquote>
pick-number-proof-early = Розыгрыш запечатают, когда начнётся выбор. Отпечаток появится в сообщении игры.
pick-number-proof-sealed =
    🔒 Правила и секрет розыгрыша запечатаны. Их общий SHA-256:
    <code>{ $commitment }</code>

    Когда игра закончится, секрет будет опубликован, и вы сможете проверить, что ни он, ни правила не изменились.
pick-number-proof =
    Из секрета и списка следует порядок розыгрыша (вытянуто: { $drawn }). Проверьте сами, не доверяя мне: verify.html или verify.py.

    <blockquote expandable>🔒 Запечатано до выбора: <code>{ $commitment }</code>
    🔓 Секрет: <code>{ $seed }</code>
    🧾 SHA-256 списка чисел ({ $entries }, от 1 до { NUMBER($highest, useGrouping: 0) }): <code>{ $digest }</code></blockquote>
pick-number-proof-beacon = 🎲 В розыгрыш подмешан раунд { $round } маяка drand.
pick-number-proof-void = ⚠️ Розыгрыш недействителен, победителей нет. Секрет и список чисел всё равно здесь.
pick-number-proof-no-beacon = 🎲 Ждали раунд { $round } маяка drand, но вовремя он не вышел; розыгрыш прошёл без него.

## Формы

pick-number-newgame-choose = 🎱 Выбери число
pick-number-form =
    🎯 { $mode ->
        [reverse] { $winners ->
            [one] Побеждает оставшийся последним
           *[other] Побеждают последние оставшиеся: { $winners }
        }
       *[normal] { $winners ->
            [one] Побеждает первое вытянутое число
            [few] Побеждают первые { $winners } вытянутых числа
           *[other] Побеждают первые { $winners } вытянутых чисел
        }
    } · на выбор { $selection_seconds }
pick-number-newgame = <b>Новая игра: «Выбери число»</b>
pick-number-newgame-instead = 🎱 Сделать «Выбери число»
pick-number-settings =
    <b>Правила группы для «Выбери число»</b>
    С ними начинается каждая новая игра.
pick-number-settings-open = 🎱 Правила «Выбери число»
dlg-pick-number-about-mode = Обычно побеждает тот, чьё число вытянут первым. В обратном режиме вытянутые выбывают, побеждают последние оставшиеся.
dlg-name-selection_seconds = Время на выбор
dlg-about-selection_seconds = Сколько времени у всех на выбор числа, в секундах.
dlg-name-reveal_seconds = Между числами
dlg-about-reveal_seconds = Пауза между двумя числами розыгрыша, в секундах.
dlg-name-beacon_policy = Опоздало случайное число
dlg-about-beacon_policy = Важно, только если бот подмешивает к розыгрышу публичное случайное число: что делать, если оно не вышло вовремя. Ждать не дольше суток.
dlg-name-absent = Кто не выбрал
dlg-about-absent = Что будет с игроком, который не выбрал число вовремя.
dlg-name-picks = Кто какое число взял
dlg-about-picks = Видно всем сразу или скрыто до конца выбора. Если скрыто, у каждого своё поле, и других его не видно.
dlg-picks-open = видно всем
dlg-picks-secret = скрыто до конца выбора
dlg-name-numbers = Диапазон чисел
dlg-about-numbers = Числа идут от 1 до этого. Если не задать, их хватит на всех.
dlg-name-range_multiplier = Чисел на игрока
dlg-about-range_multiplier = Сколько чисел приходится на каждого игрока.
dlg-name-max_number = Наибольшее число
dlg-about-max_number = Больше этого числа на поле не бывает.
dlg-pick-number-mode-normal = выигрывают вытянутые первыми
dlg-pick-number-mode-reverse = выигрывают оставшиеся последними
dlg-beacon_policy-wait = розыгрыш ждёт
dlg-beacon_policy-void = победителей нет
dlg-absent-drop = выбывает
dlg-absent-auto = получает случайное число
dlg-numbers-auto = хватит на всех игроков

## Отказы

not-now-pick-number = { $phase ->
    [waiting_for_players] Числа появятся, когда игра начнётся.
    [players_joining] Числа появятся, когда игра начнётся.
    [drawing] Выбор закрыт: идёт розыгрыш.
    [cancelled] Эту игру отменили.
   *[other] Эта игра закончилась.
}
rejected-number-taken = Число { NUMBER($number, useGrouping: 0) } занято. Попробуйте другое.
rejected-number-out-of-range = Числа { NUMBER($number, useGrouping: 0) } нет на поле: там числа от 1 до { NUMBER($highest, useGrouping: 0) }.
rejected-already-yours = Число { NUMBER($number, useGrouping: 0) } уже ваше.

## В общих текстах

pick-number-cancelled-nobody_picked = Числа никто не выбрал, разыгрывать нечего: игра отменена.
pick-number-phase-number_selection = Выбираем числа
pick-number-phase-drawing = Идёт розыгрыш
cmd-about-create_game = Открыть игру: [название] [reverse] [победителей]
cmd-help-create_game = /create_game [название] [reverse] [победителей] — то же одной строкой
pick-number-pitch = «Выбери число»: каждый берёт число, а решает розыгрыш, который может проверить любой.
rejected-bad-rule-picks = Кто видит выбор: { $low } или { $high }. Получено: { $given }.
rejected-bad-rule-absent = Кто не выбрал: { $low } или { $high }. Получено: { $given }.
pick-number-cancelled-void_operator = Те, кто управляет этим ботом, прервали розыгрыш до выхода случайного числа. Победителей нет; секрет и список чисел опубликованы.
pick-number-cancelled-void_beacon = Публичное случайное число не вышло, розыгрыш недействителен. Победителей нет; секрет и список чисел опубликованы.
rejected-bad-rule-beacon_policy = Опоздавшее случайное число: { $low } или { $high }. Получено: { $given }.
rejected-draw-sealed = Выбор закончен: розыгрыш уже не остановить.
