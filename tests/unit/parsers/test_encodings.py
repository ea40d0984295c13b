"""Texts in the encodings that people's files come in."""

import pytest

from chatconnect.adapters.parsers.encoding import decoded
from tests.unit.parsers.conftest import Read

GERMAN = "Größe, Übermaß, café, garçon und naïve Straßen für die Ämter der Stadt Köln."
TEXTS = {
    "cp1252": [
        GERMAN,
        "El niño comió mañana en el jardín con su tía; ¿verdad que sí? Años después volvió.",
        "L’été dernier, nous avons été reçus à l’hôtel près de la forêt – pour 20 €.",
    ],
    "cp1250": [
        "Zboží lze vrátit do třiceti dnů od nákupu. Záruka na rám je deset let. Příslušenství není zahrnuto.",
        "A termék harminc napon belül visszaküldhető. A váz garanciája tíz év. Kérjük, őrizze meg a számlát.",
        "Izdelek lahko vrnete v tridesetih dneh. Garancija za okvir je deset let. Priložite račun in šifro.",
        "Zwrot towaru możliwy jest w ciągu trzydziestu dni. Źródło: regulamin sprzedaży.",
        "Příliš žluťoučký kůň úpěl ďábelské ódy. Zákazník má právo na vrácení zboží.",
        "Zażółć gęślą jaźń. Klient może zwrócić towar w ciągu czternastu dni od dostawy.",
        "Árvíztűrő tükörfúrógép. A vásárló tizennégy napon belül visszaküldheti az árut.",
    ],
    "cp1251": ["Покупатель может вернуть товар в течение двух недель. Срок гарантии два года."],
    "koi8_r": ["Покупатель может вернуть товар в течение двух недель. Срок гарантии два года."],
    "cp1253": ["Ο πελάτης μπορεί να επιστρέψει το προϊόν εντός δεκατεσσάρων ημερών από την παράδοση."],
    "cp1254": [
        "İade süresi otuz gündür. Kargo ücreti müşteriye aittir.",
        "Müşteri ürünü teslimattan sonra on dört gün içinde iade edebilir. Garanti iki yıldır.",
    ],
    "cp1255": ["הלקוח יכול להחזיר את המוצר בתוך ארבעה עשר ימים מיום המסירה."],
    "cp1256": ["يمكن للعميل إرجاع المنتج خلال أربعة عشر يوما من التسليم. مدة الضمان سنتان."],
    "cp1257": [
        "Klientas gali grąžinti prekę per keturiolika dienų nuo pristatymo. Garantija – dveji metai.",
        "Preci var atgriezt trīsdesmit dienu laikā. Garantija rāmim ir desmit gadi. Lūdzu, pievienojiet čeku.",
        "Prekę galima grąžinti per trisdešimt dienų. Rėmo garantija dešimt metų. Pridėkite čekį.",
    ],
    "cp874": ["ลูกค้าสามารถคืนสินค้าได้ภายในสิบสี่วันหลังจากได้รับสินค้า การรับประกันสองปี"],
    "shift_jis": ["お客様は、商品到着後14日以内に返品することができます。保証期間は2年間です。"],
    "euc_jp": ["お客様は、商品到着後14日以内に返品することができます。保証期間は2年間です。"],
    "gb18030": ["客户可以在收到商品后十四天内退货。保修期为两年。请联系客服中心。"],
    "big5": ["客戶可以在收到商品後十四天內退貨。保固期為兩年。請聯絡客服中心。"],
    "cp949": ["고객은 상품 수령 후 14일 이내에 반품할 수 있습니다. 보증 기간은 2년입니다."],
    "mac_roman": [
        "Rückgabe: Größe geändert? Käufer können Geräte für 49 € zurückgeben – „ohne Frage“.",
        "Les retours sont acceptés pendant trente jours. Les frais sont à la charge du client.",
    ],
    "cp850": [
        "Größe;Preis;Käufer;Rückgabe;Ärmel",
    ],
    "iso2022_jp": [
        "お客様は、商品到着後14日以内に返品することができます。",
    ],
}
WIDE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("times", [1, 8])
@pytest.mark.parametrize(("codec", "text"), [(codec, text) for codec, texts in TEXTS.items() for text in texts])
def test_the_encoding_of_a_sentence_is_found_out(codec: str, text: str, times: int) -> None:
    assert decoded((text * times).encode(codec)) == text * times


@pytest.mark.parametrize("codec", WIDE)
@pytest.mark.parametrize("text", ["A b", "Greetings to everyone", *(f"{texts[0]}\n1 2 3" for texts in TEXTS.values())])
def test_unicode_is_read_with_and_without_a_mark(codec: str, text: str) -> None:
    assert decoded(text.encode(codec)) == text


def test_big_endian_text_with_a_mark_is_read() -> None:
    assert decoded(b"\xfe\xff" + "Köln".encode("utf-16-be")) == "Köln"
    assert decoded(b"\x00\x00\xfe\xff" + "Köln".encode("utf-32-be")) == "Köln"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-32", "shift_jis", "koi8_r"])
async def test_a_file_in_another_encoding_than_utf_8_is_a_text_file(read: Read, codec: str) -> None:
    text = TEXTS["koi8_r"][0] if codec == "koi8_r" else TEXTS["shift_jis"][0] + "\n12"

    assert (await read(text.encode(codec), "letter.txt")).text == text


def test_a_few_western_letters_are_not_taken_for_another_script() -> None:
    assert decoded("Grüße aus Köln".encode("cp1252")) == "Grüße aus Köln"


@pytest.mark.parametrize(
    ("declared", "codec"), [("iso-8859-1", "cp1252"), ("gb2312", "gb18030"), ("Shift_JIS", "cp932"), ("utf8", "cp1252")]
)
def test_a_declared_encoding_means_the_larger_one_of_its_family(declared: str, codec: str) -> None:
    text = {"gb18030": "朱镕基㐀退货", "cp932": "①髙い商品"}.get(codec, "20 € – für “Köln”")

    assert decoded(text.encode(codec), declared) == text


@pytest.mark.parametrize("declared", ["base64", "zlib", "rot13", "no-such-thing", "idna", "undefined", "a\0b"])
def test_a_declared_encoding_that_is_none_is_ignored(declared: str) -> None:
    assert decoded(GERMAN.encode("cp1252"), declared) == GERMAN


async def test_a_web_page_in_the_encoding_it_declares(read: Read) -> None:
    page = '<html><head><meta charset="windows-1251"></head><body>Привет</body></html>'

    assert (await read(page.encode("cp1251"), "page.html")).text == "Привет"


async def test_one_broken_character_does_not_change_the_encoding(read: Read) -> None:
    data = "Überall gültige Maße für Größen. ".encode() * 20

    document = await read(data + b"\xff", "letter.txt")

    assert document.text.startswith("Überall gültige Maße")
