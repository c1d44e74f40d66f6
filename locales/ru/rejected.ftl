### Отказы: rejected-<код> с параметрами одноимённого типа Rejected; not-now-<команда> — там, где команде не вовремя
### есть что сказать точнее общего ответа. Без разметки: это всплывающие ответы.

## Во всех видах игр

rejected-not-now = { $phase ->
    [completed] Эта игра закончилась.
    [cancelled] Эту игру отменили.
   *[other] Сейчас это невозможно.
}
not-now-join = { $phase ->
    [completed] Эта игра закончилась. Ждём вас в следующей.
    [cancelled] Эту игру отменили. Ждём вас в следующей.
   *[other] Игра уже началась. Ждём вас в следующей.
}
not-now-leave = { $phase ->
    [completed] Эта игра закончилась.
    [cancelled] Эту игру отменили.
   *[other] Игра началась, выходить уже поздно.
}
not-now-remove = { $phase ->
    [completed] Эта игра закончилась.
    [cancelled] Эту игру отменили.
   *[other] Сейчас убирать игроков нельзя.
}
not-now-start-now = { $phase ->
    [completed] Эта игра закончилась.
    [cancelled] Эту игру отменили.
   *[other] Игра уже началась.
}
not-now-extend = { $phase ->
    [completed] Эта игра закончилась.
    [cancelled] Эту игру отменили.
   *[other] Сейчас продлевать нечего.
}
not-now-cancel = { $phase ->
    [cancelled] Игру уже отменили.
   *[other] Эта игра закончилась.
}
rejected-too-late = Поздно: время уже вышло.
rejected-unknown-game = Эта игра давно закончилась.
rejected-already-joined = Вы уже в игре.
rejected-not-in-game = Вы не участвуете в этой игре.
rejected-won-before = Вы уже победили в этой серии. Эта игра для остальных.
rejected-game-full = { $limit ->
    [1] Единственное место занято.
    [one] Занято всё: { $limit } место.
    [few] Все { $limit } места заняты.
   *[other] Все { $limit } мест заняты.
}
rejected-not-enough-players = Игроков пока мало: { $have } из { $need }.
rejected-place-taken = { $limit ->
    [one] Здесь уже идёт игра.
    [few] Здесь уже идут { $limit } игры.
   *[other] Здесь уже идут { $limit } игр.
}
rejected-bad-title = Название — одна строка, не длиннее { $limit } символов.
rejected-bad-extension = { $limit_seconds ->
    [one] За раз игру можно продлить не больше чем на { $limit_seconds } секунду.
   *[other] За раз игру можно продлить не больше чем на { $limit_seconds } секунд.
}
rejected-bad-rule = { $name }: от { $low } до { $high }. Получено: { $given }.
rejected-bad-rule-percentages = Нужно по одному проценту на победителя, все больше нуля, в сумме ровно 100. Получено: { $given }.
rejected-bad-rule-mode = Режим: { $low } или { $high }. Получено: { $given }.
rejected-bad-rule-split = Как делить приз: auto, equal или percentages. Получено: { $given }.
rejected-bad-rule-prize = Приз — до { $high } символов, а этот длиннее: { $given }.
rejected-bad-rule-prizes = Призов может быть не больше { $high }, по одному на победителя. Получено: { $given }.
rejected-bad-rule-amounts = Сумм может быть не больше, чем победителей, и каждая больше 0.
rejected-bad-rule-prize_pool = Призовой фонд — до триллиона, до 8 знаков после запятой. Получено: { $given }.
rejected-not-yours = Это меню открыл другой человек. Отправьте команду сами, и у вас будет своё.
rejected-cannot-ban = Администратору нельзя закрыть доступ.
rejected-erasure-under-way = Ваши данные уже удаляются.

## Команды и права

rejected-no-game-here = Здесь сейчас нет игры. Открыть её может администратор командой /newgame.
rejected-which-game = Здесь идёт несколько игр. Напишите после команды код нужной: { $games }
rejected-bad-name = В названии — от 1 до { $limit } символов.
rejected-name-taken = Так уже называется другой шаблон.
rejected-too-many-templates = В группе уже { $limit } шаблонов. Сначала удалите какой-нибудь.
rejected-no-such-template = Этот шаблон удалён.
rejected-no-such-recurring = Эта регулярная игра удалена.
rejected-too-many-recurring = { $limit ->
    [one] В группе уже { $limit } регулярная игра. Сначала удалите её.
    [few] В группе уже { $limit } регулярные игры. Сначала удалите одну.
   *[other] В группе уже { $limit } регулярных игр. Сначала удалите одну.
}
rejected-being-changed = Сейчас это меняет кто-то ещё. Попробуйте ещё раз.
rejected-unknown-time-zone = Такого часового пояса я не знаю.
rejected-too-many-subscriptions = Вы уже следите за группами: { $limit }. Отправьте /nextgame в личном чате, чтобы убрать одну.
rejected-muted = Мне нельзя писать в этой группе, и игру никто не увидит. Сначала разрешите мне отправлять сообщения.
rejected-not-a-host = Это могут только администраторы группы.
rejected-banned = Вам закрыли доступ к играм в этом чате.
rejected-elsewhere = Эта игра идёт в другом чате.
rejected-join-in-group = Сначала нажмите «Играю» в группе, а потом возвращайтесь сюда.
rejected-not-a-member = Это только для участников группы, а Telegram говорит, что вас в ней нет.
rejected-not-an-operator = Это могут только операторы бота, в личном чате.
rejected-still-played = Эта игра ещё идёт. Сначала доиграем.
rejected-needs-a-person = Анонимный администратор играть не может. Чтобы присоединиться, напишите от своего имени.
rejected-who-is-meant = О ком речь? Ответьте командой на сообщение этого человека или напишите после неё @имя или id.
rejected-id-with-blanks = Напишите id слитно, например 1234567: иначе первые цифры — это id другого человека.
rejected-nothing-to-prove = Завершённого розыгрыша нет. Ответьте командой /fair на сообщение игры или напишите после неё код игры.
rejected-too-busy = Telegram пока не даёт мне сюда писать. Попробуйте через несколько секунд.

## Задания, вебхуки и загрузка по ссылке

rejected-unknown-job = Такого задания нет.
rejected-job-ended = Это задание уже закончилось.
rejected-job-not-dead = Это задание не провалилось и не было отменено.
rejected-bad-signature = Вызов не подписан секретом этого вебхука.
rejected-stale-call = Время в вызове отличается от нашего больше чем на пять минут.
rejected-replayed-call = Вызов с таким идентификатором уже обработан.
rejected-bad-url = Адрес должен начинаться с https:// и не содержать пароля.
rejected-forbidden-address = Адрес принадлежит частной или зарезервированной сети.
rejected-unknown-endpoint = Такого вебхука нет.
rejected-unknown-delivery = У этого вебхука нет такой доставки.
rejected-unknown-source = Такого источника вебхуков нет.
rejected-unknown-event-type = Такого вида событий нет.
rejected-too-many-endpoints = Уже есть { $limit } вебхуков, больше нельзя.
rejected-too-many-imports = Уже ждут { $limit } ваших загрузок. Попробуйте, когда они закончатся.
rejected-bad-call = В теле вызова нет события, которое здесь известно.

## Условия участия

rejected-not-in-channel = { $channel ->
    [private] Эта игра для подписчиков закрытого канала. Спросите о нём ведущего.
   *[other] Эта игра для подписчиков канала. Подпишитесь на { $channel } и попробуйте снова.
}
rejected-known-too-short = Эта игра для тех, кого я знаю уже { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[other] { $days } дней
}.
rejected-no-boost = Эта игра для тех, кто дал группе буст. Дайте буст и попробуйте снова.
rejected-no-premium = Эта игра для владельцев Telegram Premium.
rejected-premium-unknown = Эта игра для владельцев Telegram Premium, а это видно только в Telegram. Присоединиться нужно там.
rejected-channel-unreadable = Мне не видно подписчиков { $channel }. Сделайте меня администратором этого канала и попробуйте снова.
rejected-boosts-unreadable = Мне не видно, кто дал группе буст. Сделайте меня администратором группы и попробуйте снова.
rejected-bad-rule-channel = Канал — это его @имя, ссылка или id вида -1001234567890.
