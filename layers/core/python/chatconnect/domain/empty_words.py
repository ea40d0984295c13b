"""Words that say nothing of what a question is about, without accents, as terms are."""

EMPTY_WORDS = {
    "en": (
        "a about am an and any are as at be been but by can could did do does for from get had has have how i "
        "if in into is it its me my of on or our shall should so some t that the their them then there these "
        "they this to us was we were what when where which who whom whose why will with would you your much "
        "many long"
    ),
    "de": (
        "aber als am an auch auf aus bei bin bis brauche brauchen da dann darf das dass dem den der des die "
        "dies diese dieser ein eine einem einen einer eines er es euch fur gibt hat habe haben ich ihr im in "
        "ist ja kann kein keine man mein meine mich mir mit muss nach nicht noch nur ob oder sein sich sie "
        "sind so soll uber um und uns unser unsere vom von vor wann warum was welche welchem welchen welcher "
        "welches wenn wer werden wie wieviel wir wird wo wozu zu zum zur viel viele lange"
    ),
    "fr": (
        "au aux avec ce ces cette combien comment d dans de des dois du elle en est et etre faire fait faut "
        "il ils j je l la le les leur lui ma mais me mes mon n ne nos notre nous on ou par pas peut peux pour "
        "pourquoi qu quand que quel quelle quelles quels qui quoi s sa se ses si son sont sur un une vos "
        "votre vous y"
    ),
    "es": (
        "al como con cual cuales cuando cuanto cuantos cuesta de debo del donde el ella en es esta este hace "
        "hay la las lo los mas mi no o para pero por puedo que quien se ser si sin su sus tengo tiene un una "
        "y ya"
    ),
    "it": (
        "che chi ci come cosa da dei della delle di dove e gli ho i il mio nel non per perche posso quale "
        "quali quando quanto sono tra una uno"
    ),
    "pt": (
        "com da das do dos e em eu isso na nas no nos onde os ou posso quais qual quando quanto sao seu sua tem um uma"
    ),
    "pl": (
        "a aby ale bo byc co czy czym dla do gdzie i ile ja jak jaka jaki jakie jest kiedy kto ktora ktory ktore lub "
        "ma mam mi moge mozna moj moja na nie o od po pod sa sie ta tak te tego ten to tu w we z za ze"
    ),
    "ru": (
        "а бы был быть в вас ваш вы где да для до его ее если есть еще же за и из или им их к как какая какие какои "
        "когда кто куда ли мне можно мои моя мы на не нет но о об он она они от по при с сколько со так то только ты "
        "у уже чем что чтобы это я"
    ),
    "tr": "ama bir bu cok da daha de degil en gibi hangi icin ile kac kadar kim mi mu nasil ne nerede olan ve veya var",
    "sv": (
        "att av de den det dig du eller en ett finns for fran hur har i inte jag kan man med min mitt nar och om pa "
        "som till vad var vem vi vilken"
    ),
    "ar": (
        "اذا الى ان او اين اي ايه بعد بين على عن عند في قبل كان كل كم كيف لا لم لماذا لي ليس ما ماذا متى مع من "
        "نحن هذا هذه هل هناك هو هي و يا يمكن يوجد"
    ),
    "ko": "나요 인가 어디 무엇 어떻 떻게 까요 습니 니다 있나 하나 는지 에서 으로 해야 해요 가요 하는",
    "nl": ("de een en het hoe ik is kan mijn niet of op te van voor waar wanneer wat welke wie zijn"),
    "ja": (
        "です ます すか ませ せん した して する され れる いる ある こと もの どこ いつ なに "
        "どの どう のは には とは では から まで ても もい いい です りま とき うや やっ って はい くら らい"
    ),
    "zh": ("什么 怎么 多少 如何 哪里 哪些 是否 可以 的是 是什 么是 有什 在哪 几个 多长"),
}

# Words that hardly any text in their language does without.
EVERYDAY_WORDS = {
    "en": "the of and to in is are for",
    "de": "der die das den dem des und ist sind ein eine einen einem einer im zu mit auf fur von bei nicht oder werden",
    "fr": "le la les des du et est un une pour dans au aux sont par sur",
    "es": "el la los las del y un una para con por se es en",
    "it": "il la gli di e un una per con della dei sono",
    "pt": "o os da do dos e um uma para com em na no",
    "nl": "de het een en van voor met zijn",
    "pl": "w z na sie i do jest nie od po",
    "ru": "в на и с для по не к из или от за",
    "tr": "ve bir bu icin ile",
    "sv": "och att en ett som av med till det",
    "ar": "في من علي او و عن",
}
