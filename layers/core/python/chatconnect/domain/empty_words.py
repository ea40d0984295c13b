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
    "nl": ("de een en het hoe ik is kan mijn niet of op te van voor waar wanneer wat welke wie zijn"),
    "ja": (
        "です ます すか ませ せん した して する され れる いる ある こと もの どこ いつ なに "
        "どの どう のは には とは では から まで"
    ),
    "zh": ("什么 怎么 多少 如何 哪里 哪些 是否 可以 的是 是什 么是 有什 在哪 几个 多长"),
}
