"""Words of ours, in the five languages: sentences by theme and feeling, with a few slots each."""

from __future__ import annotations

from typing import Final

#: Languages in the order of `laws.LANGUAGES`: English, Italian, Romanian, Spanish, Traditional Chinese.
FIRST_NAMES: Final = (
    ("Alice", "Martin", "Grace", "Oliver", "Hannah", "Peter", "Ruth", "Simon"),
    ("Chiara", "Lorenzo", "Nicolò", "Elena", "Paola", "Matteo", "Giulia", "Sandro"),
    ("Ioana", "Andrei", "Ștefan", "Mihaela", "Răzvan", "Ana", "Călin", "Dana"),
    ("Lucía", "Álvaro", "Inés", "Jorge", "Marta", "Íñigo", "Sofía", "Pablo"),
    ("雅婷", "志明", "怡君", "家豪", "淑芬", "俊傑", "美玲", "建宏"),
)
LAST_NAMES: Final = (
    ("Ashdown", "Barlow", "Carver", "Dunmore", "Elwood", "Fenwick", "Garside", "Holt"),
    ("Bellandi", "Carraro", "Donati", "Fabbrini", "Gallo", "Marchetti", "Rinaldi", "Torrisi"),
    ("Albu", "Brătescu", "Cernat", "Drăgan", "Florea", "Ionașcu", "Munteanu", "Țurcanu"),
    ("Abascal", "Benítez", "Cifuentes", "Durán", "Ibáñez", "Molina", "Quintero", "Zúñiga"),
    ("陳", "林", "黃", "張", "李", "王", "吳", "劉"),
)

#: Shops.
PLACES: Final = (
    *("Piazza Grande", "Porta Nuova", "Via della Libertà", "Lungomare", "Mercato Vecchio", "Stazione", "Caffè del Teatro"),
    *("Borgo San Nicolò", "Fiera", "Corso Unità", "Ponte Alto", "Università", "Quartiere Città Giardino", "Porto"),
)

#: What fills a slot.
SLOTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "en": {
        "late": ("a week late", "four days late", "ten days after the date you promised", "long after I had run out"),
        "thing": ("the parcel", "my order", "the monthly box"),
        "days": ("three days", "a week", "nearly two weeks"),
    },
    "it": {
        "late": ("con una settimana di ritardo", "quattro giorni dopo", "dieci giorni dopo la data promessa", "quando il caffè era già finito"),
        "thing": ("il pacco", "il mio ordine", "la scatola del mese"),
        "days": ("tre giorni", "una settimana", "quasi due settimane"),
    },
    "ro": {
        "late": ("cu o săptămână întârziere", "patru zile mai târziu", "la zece zile după data promisă", "când deja rămăsesem fără cafea"),
        "thing": ("coletul", "comanda mea", "cutia lunară"),
        "days": ("trei zile", "o săptămână", "aproape două săptămâni"),
    },
    "es": {
        "late": ("una semana tarde", "cuatro días después", "diez días después de la fecha prometida", "cuando ya no me quedaba café"),
        "thing": ("el paquete", "mi pedido", "la caja del mes"),
        "days": ("tres días", "una semana", "casi dos semanas"),
    },
    "zh-Hant": {
        "late": ("晚了一個星期", "遲了四天", "比承諾的日期晚了十天", "等到咖啡都喝完了"),
        "thing": ("包裹", "我的訂單", "這個月的箱子"),
        "days": ("三天", "一個星期", "將近兩個星期"),
    },
}

#: Themes of comments; the first five are the touchpoints.
THEMES: Final = ("delivery", "support", "website", "billing", "store", "product", "price")

#: By language and theme: what the unhappy write, what the happy write.
SENTENCES: Final[dict[str, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]]] = {
    "en": {
        "delivery": (
            ("{thing} came {late}.", "{thing} arrived {late} and one bag was open.", "the courier left {thing} in the rain.", "no tracking, no call, and {thing} came {late}."),
            ("{thing} always comes on the day you say.", "delivery is quick and well packed.", "{thing} was here the next morning.", "the courier is friendly and on time."),
        ),
        "support": (
            ("I waited {days} for an answer to a simple question.", "three people, three different answers.", "nobody called me back, although it was promised twice.", "the reply after {days} was a copied text."),
            ("your support answered within the hour and solved it.", "the lady on the phone was patient and knew what to do.", "one message and the problem was gone.", "helpful people, no scripts."),
        ),
        "website": (
            ("the website logs me out in the middle of checkout.", "I cannot find where to pause the subscription.", "the app crashes when I open my basket.", "searching the shop is hopeless on a phone."),
            ("ordering in the app takes a minute.", "the new website is clear and fast.", "changing my next box online is easy.", "everything is where I expect it."),
        ),
        "billing": (
            ("I was charged twice and still wait for the refund after {days}.", "the invoice never matches what I ordered.", "my card was refused without a reason.", "the price on the bill was not the price in the shop."),
            ("invoices are clear and arrive on time.", "the refund was on my account after two days.", "paying is simple and I see what I pay for."),
        ),
        "store": (
            ("the shop had half of what was on the list.", "I queued for twenty minutes to collect a bag.", "the staff in the shop could not find my order.", "the shop was closed at the time on the door."),
            ("the people in the shop know their coffee.", "lovely shop, and always a taste of something new.", "collecting in the shop is quick.", "the barista remembered what I like."),
        ),
        "product": (
            ("the last roast tasted burnt.", "the beans were stale, roasted two months ago.", "the blend is not what it used to be.", "two of the four bags were the wrong grind."),
            ("the coffee is wonderful, fresh and full of taste.", "best beans I have had at home.", "every month something new to try, and never a bad one.", "the decaf finally tastes of coffee."),
        ),
        "price": (
            ("it has become too expensive for what it is.", "prices went up and nobody told us.", "shipping costs more than a bag of coffee.", "new customers pay less than loyal ones."),
            ("good value for coffee of this quality.", "fair prices, and the discount for regulars is welcome.", "I pay less than in the supermarket for better beans."),
        ),
    },
    "it": {
        "delivery": (
            ("{thing} è arrivato {late}.", "ho ricevuto {thing} {late} e con un sacchetto aperto.", "il corriere ha lasciato {thing} sotto la pioggia.", "nessun avviso, nessun tracciamento, tutto {late}."),
            ("{thing} arriva sempre nel giorno indicato.", "consegna veloce e imballo curato.", "la mattina dopo avevo già {thing}.", "il corriere è gentile e puntuale."),
        ),
        "support": (
            ("ho aspettato {days} per una risposta semplice.", "tre persone, tre risposte diverse.", "nessuno mi ha richiamato, eppure me l'avevano promesso.", "dopo {days} mi è arrivato un testo copiato."),
            ("l'assistenza ha risposto in un'ora e ha risolto tutto.", "la signora al telefono è stata paziente e preparata.", "un messaggio ed è andato tutto a posto.", "persone disponibili, si sente che ci tengono."),
        ),
        "website": (
            ("il sito mi fa uscire proprio al momento di pagare.", "non si capisce dove sospendere l'abbonamento.", "l'app si chiude quando apro il carrello.", "dal cellulare la ricerca è inutilizzabile."),
            ("ordinare dall'app è questione di un minuto.", "il nuovo sito è chiaro e veloce.", "modificare la prossima scatola è facilissimo.", "trovo tutto subito, si naviga con facilità."),
        ),
        "billing": (
            ("mi avete addebitato due volte e dopo {days} il rimborso non c'è.", "la fattura non corrisponde mai all'ordine.", "la carta è stata rifiutata senza un perché.", "il prezzo in fattura non è quello del negozio."),
            ("fatture chiare e puntuali.", "il rimborso è arrivato in due giorni.", "il pagamento è semplice e si vede cosa si paga."),
        ),
        "store": (
            ("in negozio mancava metà dei prodotti.", "venti minuti di coda per ritirare un sacchetto.", "il personale non trovava il mio ordine.", "il negozio era chiuso nonostante l'orario sulla porta."),
            ("in negozio sanno davvero cos'è il caffè.", "bel negozio, c'è sempre qualcosa da assaggiare.", "il ritiro in negozio è rapidissimo.", "il barista si ricorda cosa mi piace."),
        ),
        "product": (
            ("l'ultima tostatura sapeva di bruciato.", "i chicchi erano vecchi, tostati due mesi fa.", "la miscela non è più quella di una volta.", "due sacchetti su quattro avevano la macinatura sbagliata."),
            ("il caffè è buonissimo, fresco e profumato.", "i migliori chicchi che abbia mai avuto a casa.", "ogni mese una novità, e mai una delusione.", "finalmente un decaffeinato che sa di caffè."),
        ),
        "price": (
            ("è diventato troppo caro per quello che offre.", "i prezzi sono aumentati e nessuno ci ha avvisato.", "la spedizione costa più di un sacchetto.", "chi è nuovo paga meno di chi è fedele."),
            ("ottimo rapporto qualità prezzo.", "prezzi onesti, e lo sconto per chi resta fa piacere.", "pago meno che al supermercato e bevo meglio."),
        ),
    },
    "ro": {
        "delivery": (
            ("{thing} a ajuns {late}.", "am primit {thing} {late} și o pungă era desfăcută.", "curierul a lăsat {thing} în ploaie.", "niciun mesaj, nicio urmărire, totul {late}."),
            ("{thing} ajunge mereu în ziua promisă.", "livrare rapidă și ambalaj îngrijit.", "a doua zi dimineața aveam deja {thing}.", "curierul este amabil și punctual."),
        ),
        "support": (
            ("am așteptat {days} un răspuns la o întrebare simplă.", "trei persoane, trei răspunsuri diferite.", "nu m-a sunat nimeni înapoi, deși mi s-a promis.", "după {days} am primit un text copiat."),
            ("am primit răspuns într-o oră și problema s-a rezolvat.", "doamna de la telefon a fost răbdătoare și pricepută.", "un mesaj și totul a fost în regulă.", "oameni săritori, se vede că le pasă."),
        ),
        "website": (
            ("site-ul mă deconectează exact când plătesc.", "nu găsesc de unde se suspendă abonamentul.", "aplicația se închide când deschid coșul.", "pe telefon căutarea nu funcționează deloc."),
            ("comand din aplicație într-un minut.", "site-ul nou este clar și rapid.", "îmi schimb foarte ușor următoarea cutie.", "găsesc totul unde mă aștept."),
        ),
        "billing": (
            ("mi-ați luat banii de două ori și după {days} încă aștept.", "factura nu se potrivește niciodată cu comanda.", "cardul a fost refuzat fără explicație.", "prețul de pe factură nu este cel din magazin."),
            ("facturile sunt clare și vin la timp.", "banii au fost înapoiați în două zile.", "plata e simplă și văd pentru ce plătesc."),
        ),
        "store": (
            ("în magazin lipsea jumătate din listă.", "am stat douăzeci de minute la coadă pentru o pungă.", "angajații nu îmi găseau comanda.", "magazinul era închis, deși scria altfel pe ușă."),
            ("cei din magazin chiar se pricep la cafea.", "magazin frumos, mereu ai ce gusta.", "ridicarea din magazin merge repede.", "barista își amintește ce îmi place."),
        ),
        "product": (
            ("ultima prăjire avea gust de ars.", "boabele erau vechi, prăjite acum două luni.", "amestecul nu mai este ce a fost.", "două pungi din patru erau măcinate greșit."),
            ("cafeaua e minunată, proaspătă și aromată.", "cele mai bune boabe pe care le-am avut acasă.", "în fiecare lună ceva nou și niciodată o dezamăgire.", "în sfârșit o cafea fără cofeină cu gust."),
        ),
        "price": (
            ("a devenit prea scump pentru ce oferă.", "prețurile au crescut și nu ne-a anunțat nimeni.", "livrarea costă mai mult decât o pungă de cafea.", "clienții noi plătesc mai puțin decât cei vechi."),
            ("preț bun pentru o cafea de calitatea asta.", "prețuri corecte, iar reducerea pentru fideli e binevenită.", "plătesc mai puțin decât la supermarket și beau mai bine."),
        ),
    },
    "es": {
        "delivery": (
            ("{thing} llegó {late}.", "recibí {thing} {late} y con una bolsa abierta.", "el repartidor dejó {thing} bajo la lluvia.", "sin aviso, sin seguimiento, y todo {late}."),
            ("{thing} llega siempre el día que dicen.", "entrega rápida y bien embalada.", "a la mañana siguiente ya tenía {thing}.", "el repartidor es amable y puntual."),
        ),
        "support": (
            ("esperé {days} una respuesta a una pregunta sencilla.", "tres personas, tres respuestas distintas.", "nadie me devolvió la llamada, aunque lo prometieron.", "después de {days} me llegó un texto copiado."),
            ("atención al cliente respondió en una hora y lo solucionó.", "la señora del teléfono fue paciente y sabía qué hacer.", "un mensaje y el problema desapareció.", "gente atenta, sin guiones."),
        ),
        "website": (
            ("la página me cierra la sesión justo al pagar.", "no encuentro dónde se pausa la suscripción.", "la aplicación se cierra cuando abro el carrito.", "en el móvil la búsqueda no funciona."),
            ("pedir en la aplicación es cosa de un minuto.", "la nueva página es clara y rápida.", "cambiar la próxima caja es facilísimo.", "todo está donde lo espero."),
        ),
        "billing": (
            ("me cobraron dos veces y después de {days} sigo sin el reembolso.", "la factura nunca coincide con el pedido.", "rechazaron mi tarjeta sin explicación.", "el precio de la factura no es el de la tienda."),
            ("las facturas son claras y llegan a tiempo.", "el reembolso llegó en dos días.", "pagar es sencillo y veo lo que pago."),
        ),
        "store": (
            ("en la tienda faltaba la mitad de los productos.", "veinte minutos de cola para recoger una bolsa.", "los empleados no encontraban mi pedido.", "la tienda estaba cerrada a pesar del horario de la puerta."),
            ("en la tienda saben de café de verdad.", "una tienda preciosa, siempre hay algo que probar.", "la recogida en tienda es rapidísima.", "el barista se acuerda de lo que me gusta."),
        ),
        "product": (
            ("el último tueste sabía a quemado.", "los granos eran viejos, tostados hace dos meses.", "la mezcla ya no es lo que era.", "dos de las cuatro bolsas venían con la molienda equivocada."),
            ("el café es buenísimo, fresco y con aroma.", "los mejores granos que he tenido en casa.", "cada mes algo nuevo y nunca una decepción.", "por fin un descafeinado que sabe a café."),
        ),
        "price": (
            ("se ha vuelto demasiado caro para lo que es.", "subieron los precios y nadie avisó.", "el envío cuesta más que una bolsa de café.", "los clientes nuevos pagan menos que los fieles."),
            ("buena relación calidad precio.", "precios justos, y el descuento por fidelidad se agradece.", "pago menos que en el supermercado y el café es mejor."),
        ),
    },
    "zh-Hant": {
        "delivery": (
            ("{thing}{late}才到。", "{thing}{late}，其中一包還破了。", "送貨員把{thing}放在雨中。", "沒有通知也查不到進度，{thing}{late}。"),
            ("{thing}總是準時送到。", "配送很快，包裝也很仔細。", "隔天早上就收到{thing}了。", "送貨員親切又準時。"),
        ),
        "support": (
            ("一個簡單的問題等了{days}才有回覆。", "問了三個人，得到三種答案。", "說好會回電，結果沒有人打來。", "等了{days}，只收到一段罐頭訊息。"),
            ("客服一小時內就回覆並解決了。", "電話裡的小姐很有耐心，也很專業。", "傳一則訊息問題就處理好了。", "服務人員很熱心。"),
        ),
        "website": (
            ("網站在結帳時一直把我登出。", "找不到暫停訂閱的地方。", "打開購物車，應用程式就當掉。", "手機上的搜尋根本不能用。"),
            ("用應用程式訂購只要一分鐘。", "新網站清楚又快。", "線上更改下個月的箱子很方便。", "要找的東西都在該在的地方。"),
        ),
        "billing": (
            ("被重複扣款，過了{days}還沒退費。", "帳單和訂單從來對不起來。", "信用卡被拒絕，也沒有說明原因。", "帳單上的價格和店裡的不一樣。"),
            ("帳單清楚，也都準時寄來。", "兩天就收到退款。", "付款很簡單，每一筆都看得懂。"),
        ),
        "store": (
            ("店裡一半的商品都缺貨。", "只是取一包咖啡就排了二十分鐘。", "店員找不到我的訂單。", "門上寫的營業時間，到了卻沒開。"),
            ("店員真的懂咖啡。", "店面很舒服，每次都能試喝新品。", "到店取貨很快。", "咖啡師記得我的喜好。"),
        ),
        "product": (
            ("這次的豆子有焦味。", "豆子不新鮮，是兩個月前烘的。", "配方豆的味道不如以前。", "四包裡有兩包研磨度錯了。"),
            ("咖啡很香，又新鮮。", "這是我在家喝過最好的豆子。", "每個月都有新口味，從沒失望過。", "終於有好喝的低咖啡因。"),
        ),
        "price": (
            ("以這個品質來說變得太貴了。", "漲價了也沒有人通知。", "運費比一包咖啡還貴。", "新客戶的價格比老客戶便宜。"),
            ("這個品質很划算。", "價格公道，老客戶折扣也很貼心。", "比超市便宜，豆子又更好。"),
        ),
    },
}

#: By language: how the unhappy begin, how the happy begin; an empty beginning is the commonest.
OPENINGS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "en": (("", "", "Honestly, ", "Again: ", "Sorry to say, "), ("", "", "All good: ", "So far so good, ", "I must say, ")),
    "it": (("", "", "Sinceramente, ", "Di nuovo: ", "Mi dispiace, ma "), ("", "", "Tutto bene: ", "Che dire, ", "Devo dire che ")),
    "ro": (("", "", "Sincer, ", "Din nou: ", "Îmi pare rău, dar "), ("", "", "Totul bine: ", "Ce să zic, ", "Trebuie să spun că ")),
    "es": (("", "", "Sinceramente, ", "Otra vez: ", "Lo siento, pero "), ("", "", "Todo bien: ", "La verdad, ", "Debo decir que ")),
    "zh-Hant": (("", "", "老實說，", "又一次，", "很遺憾，"), ("", "", "都很好，", "目前為止很滿意，", "不得不說，")),
}

#: By language: how the unhappy end, how the happy end.
ENDINGS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "en": (("", "", "", "Please fix this.", "I am thinking of leaving.", "Not for the first time."), ("", "", "", "Thank you!", "Keep it up.", "I have told my friends.")),
    "it": (("", "", "", "Sistemate la cosa, per favore.", "Sto pensando di disdire.", "E non è la prima volta."), ("", "", "", "Grazie!", "Continuate così.", "L'ho già consigliato agli amici.")),
    "ro": (("", "", "", "Vă rog să rezolvați.", "Mă gândesc să renunț.", "Și nu e prima dată."), ("", "", "", "Mulțumesc!", "Țineți-o tot așa.", "V-am recomandat și prietenilor.")),
    "es": (("", "", "", "Por favor, arréglenlo.", "Estoy pensando en darme de baja.", "Y no es la primera vez."), ("", "", "", "¡Gracias!", "Sigan así.", "Ya se lo he recomendado a mis amigos.")),
    "zh-Hant": (("", "", "", "請改善。", "我在考慮退訂。", "而且不是第一次了。"), ("", "", "", "謝謝！", "請繼續保持。", "已經推薦給朋友了。")),
}

#: By language: a sentence with something to redact. ``{mail}``, ``{phone}`` and ``{name}`` are of the customer.
REACH_ME: Final[dict[str, tuple[str, ...]]] = {
    "en": ("You can write to {mail}.", "Call me on {phone}.", "Regards, {name}, {phone}."),
    "it": ("Scrivetemi a {mail}.", "Chiamatemi al {phone}.", "Saluti, {name}, {phone}."),
    "ro": ("Îmi puteți scrie la {mail}.", "Sunați-mă la {phone}.", "Cu stimă, {name}, {phone}."),
    "es": ("Pueden escribirme a {mail}.", "Llámenme al {phone}.", "Saludos, {name}, {phone}."),
    "zh-Hant": ("請寫信到{mail}。", "請打{phone}給我。", "{name}，電話{phone}。"),
}
