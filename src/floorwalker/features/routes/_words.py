"""Words that shops write into URLs, by what they stand for, in several languages.

The table serves three ends: the role of a route, a hint to the network that a text is a word of the
site's own grammar, and the guard that keeps state-changing endpoints apart. It is a hint only: the evaluation
also runs with the table switched off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WORDS: dict[str, str] = {
    "product": """product products prod item items goods sku detail details dp article artikel produkt produkte
        produit produits producto productos
        produto produtos prodotto prodotti tovar tovary towar vyrobek tuote urun vare varer mahsulat produk shangpin
        shouhin ware kala listing gtin""",
    "category": """category categories cat catalog catalogue collection collections department browse list
        listing shop brand brands filter filters tag tags
        kategorie kategorien sortiment marke categorie marque rayon categoria marca marchio kategoria kategoriya
        brend dzial daste
        kategori marka leimu pinpai bunrui osasto manufacturer genre taxonomy facet""",
    "search": """search find query suggest autocomplete lookup results suche suchen recherche chercher buscar
        busca pesquisa cerca ricerca zoeken szukaj
        hledani poisk arama ara sok soeg haku sousuo kensaku jostojo bahth cari typeahead""",
    "offer": """offer offers deal deals sale sales promo promos promotion promotions coupon coupons voucher
        vouchers discount discounts flash clearance
        outlet stock availability inventory price prices bargain giftcard rabatt gutschein gutscheine angebot
        angebote aktion lager verfuegbarkeit
        promotions solde soldes bon remise oferta ofertas cupon descuento existencias cupom estoque offerta offerte
        sconto sconti buono giacenza aanbieding
        korting voorraad promocja rabat kupon akcii akciya skidka ostatok sleva slevy kampanya indirim tilbud
        tarjous takhfif shegeft youhuiquan miaosha
        kuponlar redeem claim reward rewards loyalty points wheel lottery bonus""",
    "login": """login logon signin sign auth oauth logout logoff signout register registration signup password
        passwd reset forgot session sso token otp verify
        2fa anmelden abmelden registrieren passwort einloggen connexion deconnexion inscription entrar salir
        registro contrasena sair cadastro accedi esci
        inloggen uitloggen zaloguj wyloguj vhod vyhod registraciya prihlaseni giris cikis vorud denglu zhuce
        wp-login""",
    "basket": """cart basket bag trolley minicart warenkorb korb panier cesta carrito carrinho sacola carrello
        mandje winkelwagen koszyk korzina kosik sepet
        kurv handlekurv varukorg ostoskori kosar cos sabad gouwuche kago keranjang kalathi""",
    "checkout": """checkout order orders payment pay purchase billing shipping delivery place kasse bestellung
        zahlung commande paiement livraison pedido pago compra
        pagamento ordine ordina bestelling afrekenen zamowienie platnosc oformlenie oplata zakaz objednavka doprava
        platba odeme siparis kassen kassa betaling
        pardakht jiesuan zhifu dingdan chuumon bayar""",
    "callback": """callback webhook webhooks hook hooks ipn notify notification notifications return postback
        rueckmeldung retour retorno ritorno
        uvedomlenie huidiao notificacion""",
    "feed": """feed feeds rss atom rdf sitemap sitemaps export podcast""",
    "asset": """static assets asset media img image images css js javascript scripts styles fonts font upload
        uploads files cdn dist bundle bundles themes
        theme skin thumbs thumbnail thumbnails photos photo pictures icons avatar bilder imagen imagenes imagem
        imagens immagini afbeelding zdjecia
        obrazky resim gambar kuvat tupian axs gazou images2 resize resizer cache vendor lib build""",
    "beacon": """collect beacon pixel track tracker tracking analytics stats metrics telemetry events impression
        hit counter log pageview rum""",
    "health": """health healthz healthcheck ping status alive ready live heartbeat readiness liveness uptime monitor""",
    "account": """account profile user users customer customers my settings addresses wishlist favorites
        favourites returns invoices messages konto compte
        cuenta conta utente klant cabinet lichnyi ucet hesabim konto tili panel wode akun""",
    "content": """about help contact faq blog news article articles page pages info terms privacy legal imprint
        impressum datenschutz agb kontakt
        stores store locator jobs careers press guide guides review reviews comment comments""",
    "structure": """api v1 v2 v3 v4 rest graphql index php html htm aspx asp jsp json xml ajax m mobile amp web
        public admin wp-json wp-content
        wp-admin includes modules module plugins plugin cgi-bin default main home robots favicon manifest www""",
    "verb": """add remove update delete clear empty edit change apply redeem claim cancel confirm submit place
        pay login logout signin signout signup register
        reset create save set insert subscribe unsubscribe increase decrease hinzufuegen entfernen aendern loeschen
        leeren einloesen anmelden abmelden
        registrieren bestaetigen ajouter supprimer modifier vider appliquer valider connexion deconnexion
        inscription anadir agregar quitar eliminar
        editar vaciar aplicar confirmar entrar salir adicionar remover atualizar limpar sair cadastrar aggiungi
        rimuovi togli modifica svuota applica
        riscatta conferma accedi esci toevoegen verwijderen wijzigen inloggen uitloggen bevestigen dodaj usun zmien
        wyczysc zaloguj wyloguj zatwierdz
        dobavit udalit izmenit ochistit primenit podtverdit voiti vyiti ekle cikar sil guncelle onayla afzudan hazf
        jiaru shanchu tijiao denglu tuichu
        zhuce tambah hapus ubah klaim pakai masuk keluar pridat odebrat vlozit prihlasit odhlasit lisaa poista
        kirjaudu tilfoj fjern opdater laegg""",
    "dispatch": """route controller action act mode op cmd do task view module func function method operation
        operationname event handler section option
        type fc seccion accion azione aktion akcja deistvie""",
    "paging": """page p pg seite pagina pag strona stranka sayfa side sivu offset start from limit per_page
        perpage size count sort order orderby order_by dir direction
        lang language locale currency view layout display ver v version t ts timestamp rand callback ref source
        variant color colour min max price_min price_max""",
    "locale": """en de fr es it nl pl pt ru tr ar fa zh ja ko cs sv da nb fi el hu ro bg uk us gb eu at ch be br
        mx cn jp kr cz se dk no gr ua sk si hr lt
        lv ee ie lu int global""",
    "picture": """jpg jpeg png gif webp avif svg ico bmp mp4 webm""",
    "script": """css js mjs map woff woff2 ttf eot json wasm""",
    "ending": """html htm php aspx asp jsp do cgi shtml xhtml ashx""",
}
"""Words by class. A word that stands in several lists belongs to the last one, apart from its use for roles."""

CLASSES = ("none", *WORDS)
"""Names of the classes by code; `none` is 0."""

VERB = CLASSES.index("verb")

TRACKING_PREFIXES = ("utm_", "mc_", "pk_", "mtm_", "hsa_", "_hs", "matomo_", "piwik_", "ga_", "itm_")
_TRACKING = """gclid gclsrc fbclid msclkid yclid dclid twclid ttclid li_fat_id igshid wbraid gbraid _ga _gl _openstat
    gad_source srsltid phpsessid jsessionid sid sessionid session_id aspsessionid oly_anon_id oly_enc_id vero_id
    wickedid cx_click __cf_chl_tk cf_chl_jschl_tk"""
TRACKING_KEYS = frozenset(_TRACKING.split())
"""Query keys that say where a visitor came from or who he is, never which page he asked for: they are dropped."""

SESSION_PARAMETERS = ("jsessionid", "phpsessid", "sid", "sessionid", "cfid", "cftoken")
"""Matrix parameters (`;name=value`) that are dropped."""

FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)


def word_hash(word: bytes) -> int:
    """The 64-bit FNV-1a hash of a word in lower case, as the splitting kernel computes it."""
    value = int(FNV_OFFSET)
    for byte in word.lower():
        value = ((value ^ byte) * int(FNV_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return value


def word_table(*, empty: bool = False) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """The words as an open-addressing hash table: keys uint64 [2^k] (0 = free) and classes uint8 [2^k].

    Parameters
    ----------
    empty : give a table without words, to measure what they bring.
    """
    size = 4096
    keys, classes = np.zeros(size, np.uint64), np.zeros(size, np.uint8)
    if empty:
        return keys, classes
    for code, name in enumerate(CLASSES[1:], start=1):
        for word in WORDS[name].split():
            value = word_hash(word.encode())
            slot = value & (size - 1)
            while keys[slot] not in (0, value):
                slot = (slot + 1) & (size - 1)
            keys[slot], classes[slot] = value, code
    return keys, classes


def tracking_table() -> NDArray[np.uint64]:
    """Hashes of the tracking keys, sorted: uint64 [k]."""
    return np.array(sorted(word_hash(key.encode()) for key in TRACKING_KEYS), np.uint64)
