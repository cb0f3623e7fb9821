"""What headers say about their columns, in the languages of the checkers' markets."""

import pytest

from numberdrop.files.uploads.headers import Heading, header_of

PHONES = """
Telefon geschäftlich|telefone celular|tlf|Tlf.|puh|Puh.|Puhelin|mobiel
telefoonnummer|Phone 1 - Value|номер телефона|联系电话|Contact no.|Tfn mobil
Telephone 1|MobilePhone|HomePhone|Tel. Nr.|Numéro de téléphone|Tél.|E.164
phone_number|Your mobile number, with country code
WhatsApp number (with country code)|No. HP|Cep telefonu|Số điện thoại|手机号|電話番号
휴대폰번호|전화번호|เบอร์โทร|फ़ोन नंबर|رقم الهاتف|טלפון|Τηλέφωνο|Мобильный телефон
Handy|Mobil-Nr|Handynr.|Móvil|Teléfono móvil|Customer Phone|Order phone
MOBILE_NO|cellnumber|Phone (home)|CellPhone|WhatsApp|Telefonszám|Telefono
Numer telefonu|Telemóvel|Mobitel|Kontaktnummer|nomor telepon|Cellulare
Fono contacto|Nro celular|Telf.|Teléf.|Tlm|Di động|Số di động|联系号码|رقم التليفون
شماره موبایل|Mobilszám|Broj mobitela|פלאפון|Mobilusis|Mobiil|Мобилен|Numer komórki
WA Number|No WA|Ruf-Nr.|Festnetznummer|Phone incl. country code|Mobile (incl. prefix)
Telefon inkl. Vorwahl|Customer phone|Billing Phone|Last known phone|Sales phone
"""
OTHERS = """
Kunden-Nr.|Kundennummer|Fax|Telefax|Faxnummer|Tel/Fax|Phone 1 - Label
Phone type|phone_number_id|Phone country code|id|Ticket|Order number
Bestellnummer|PLZ|Postnr|Datum|Oprettet|created_time|GTIN|Artikel-Nr
Customer ID|Personnr|VAT number|Steuernummer|ad_id|客户编号|订单号|Telefonanbieter
Mobile carrier|Rechnungsnr|Kontonummer|StartDate|номер заказа|传真|Numéro client
Número de cliente|Date of phone call|Phone verified|факс|Country Code
Phone order no|Mobile sales|Tel. Kd-Nr.|Mobile data (GB)|WhatsApp sent at|Phone hash
phone_sha256|Mobile OS|Telefonkosten|Telefontermin|Handyversicherung|Telefonrechnung
手机型号|手机品牌|电话费|電話日時|携帯機種|Telefon türü|Modello telefono|Marque du téléphone
Модель телефона|P.IVA|Partita IVA|REGON|NIP|PESEL|Documento|NIK|CCCD|Aadhaar
СНИЛС|Matrícula|Claim No.|Policy Number|Roll no|身份证|رقم الهوية|Social Security
"""


def words(text: str) -> list[str]:
    return [word for line in text.split("\n") for word in line.split("|") if word]


@pytest.mark.parametrize("header", words(PHONES))
def test_a_header_may_name_phone_numbers_in_any_language(header: str) -> None:
    assert header_of(header).heading is Heading.PHONE
    assert header_of(f" {header.upper()} ").heading is Heading.PHONE


@pytest.mark.parametrize("header", words(OTHERS))
def test_a_header_may_say_that_digits_are_not_phones(header: str) -> None:
    assert header_of(header).heading is Heading.OTHER


@pytest.mark.parametrize(
    "header", ["number", "Nummer", "Número", "numéro", "No.", "Nr", "Numbers", "номер", "号码"]
)
def test_a_bare_number_may_count_anything(header: str) -> None:
    assert header_of(header).heading is Heading.NUMBER


@pytest.mark.parametrize(
    "header", ["", "Name", "Kontakt", "iPhone", "Phonetic First Name", "Hotel", "Automobil"]
)
def test_a_header_may_say_nothing_about_numbers(header: str) -> None:
    assert header_of(header).heading is Heading.SILENT


@pytest.mark.parametrize("header", ["Fax", "Telefax geschäftlich", "Tel./Fax", "FaxNumber", "传真", "Факс"])
def test_a_header_may_name_fax_numbers(header: str) -> None:
    assert header_of(header).is_fax
