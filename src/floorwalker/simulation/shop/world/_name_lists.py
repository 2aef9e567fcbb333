"""First names, family names and the words that mailboxes are named by. Frequent names, so that they are nobody's."""

from __future__ import annotations

from floorwalker.simulation.shop.world._tables import Texts, texts


def _words(text: str) -> Texts:
    return texts(text.split())


FIRST: tuple[Texts, ...] = (
    _words(
        "Anna Thomas Michael Julia Andreas Sabine Stefan Petra Christian Laura Peter Lena Alexander Sarah Daniel Nicole"
        " Markus Katharina Martin Sandra Jan Claudia Sebastian Lisa Florian Susanne Tobias Monika Matthias Birgit Felix"
        " Kathrin Lukas Martina Jonas Heike Maximilian Andrea Tim Anja Philipp Melanie David Stefanie Leon Christina"
        " Paul Jessica Simon Vanessa Niklas Hannah Moritz Marie Dominik Sophie Jens Mehmet Fatma Mustafa Elif Ali Olga"
        " Sergej Natalia Ahmed Mohammed Layla Dieter Helga Wolfgang Ursula Karin Rainer Ingrid Uwe Renate Finn Emma"
    ),
    _words(
        "Stefan Eva Lukas Anna Michael Maria Thomas Katharina Andreas Julia Christoph Lisa Florian Sabine Markus"
        " Elisabeth Johannes Barbara Daniel Martina Bernhard Verena Georg Magdalena Manuel Theresa Matthias Johanna"
        " Franz Christine Wolfgang Ingrid Gerald Nina Dragan Jelena Emir Selma"
    ),
    _words(
        "James Emma Oliver Olivia David Sarah John Laura Paul Emily Mark Claire Andrew Rachel Daniel Charlotte Thomas"
        " Rebecca Matthew Sophie Jack Amy George Hannah Harry Jessica William Lucy Michael Helen Peter Karen Simon"
        " Nicola Stephen Julie Ian Susan Christopher Katie Adam Gemma Ryan Chloe Luke Megan Callum Zoe Mohammed"
        " Aisha Imran Priya Raj Fatima Kwame Grace Piotr Agnieszka Ewan Fiona Rhys Sian Graham Margaret"
    ),
    _words(
        "Anna Piotr Katarzyna Krzysztof Maria Andrzej Agnieszka Tomasz Barbara Jan Ewa Michal Malgorzata Marcin"
        " Magdalena Jakub Joanna Adam Aleksandra Lukasz Monika Marek Zofia Grzegorz Natalia Mateusz Karolina Wojciech"
        " Justyna Pawel Julia Kamil Oliwia Rafal Beata Dawid Iwona Patryk"
    ),
    _words(
        "Jan Anna Peter Maria Johannes Sanne Thomas Emma Daan Lotte Mark Lisa Bram Sophie Jeroen Marieke Willem Femke"
        " Pieter Eva Lars Iris Sander Anouk Bas Linda Erik Esther Tim Manon Ruben Fatima Mohamed Youssef Kees Ingrid"
        " Hans Yvonne Niels Roos"
    ),
    _words(
        "James Mary Michael Jennifer Robert Linda John Patricia David Elizabeth William Barbara Richard Susan Joseph"
        " Jessica Thomas Karen Christopher Sarah Charles Lisa Daniel Nancy Matthew Ashley Anthony Emily Mark Kimberly"
        " Jose Maria Luis Carmen Tyler Madison Jamal Aaliyah Wei Mei Kevin Michelle Brian Amanda Jason Melissa"
    ),
    _words(
        "wei fang na min jing li lei jun yang yong yan jie juan tao ming chao xia ping gang hong bo hui ting xin yu"
        " hao jia yi xuan zihan haoran yuxuan ziyi yutong meng lin peng fei bin kai dan qiang hua ying xiang rui chen"
    ),
)
"""By the country's place; Chinese ones in Pinyin, in the order of `GIVEN_CHINESE`."""

GIVEN_CHINESE = _words(
    "伟 芳 娜 敏 静 丽 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 红 波 辉 婷 欣 宇"
    " 浩 佳 怡 轩 子涵 浩然 宇轩 子怡 雨桐 梦 琳 鹏 飞 斌 凯 丹 强 华 颖 翔 睿 晨"
)

_FREQUENT: tuple[Texts, ...] = (
    _words(
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein"
        " Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause"
        " Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz"
        " Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann"
        " Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto"
        " Yilmaz Kaya Demir Yildiz Öztürk Nowak Kowalski Nguyen Hassan Ivanov Petrov Wolff Arnold Sommer Groß Seidel"
    ),
    _words(
        "Gruber Huber Bauer Wagner Müller Pichler Steiner Moser Mayer Hofer Leitner Berger Fuchs Eder Fischer Schmid"
        " Winkler Weber Schwarz Maier Schneider Reiter Mayr Schmidt Wimmer Egger Brunner Lang Baumgartner Auer Binder"
        " Lechner Wolf Wallner Aigner Ebner Koller Lehner Haas Schuster Novak Jovanovic Petrovic Yildirim"
    ),
    _words(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts"
        " Green Hall Wood Jackson Clarke Clark Harris Lewis Turner Hill Scott Cooper Morris Ward Moore King Watson"
        " Baker Harrison Morgan Patel Young Allen Mitchell James Anderson Phillips Lee Bell Parker Davis Khan Ahmed"
        " Hussain Ali Singh Campbell Stewart Murray Kelly Murphy Shah Begum Price Bennett Griffiths Kaur Cox Shaw"
    ),
    _words(
        "Nowak Kowalski Wisniewski Wojcik Kowalczyk Kaminski Lewandowski Zielinski Szymanski Wozniak Dabrowski"
        " Kozlowski Jankowski Mazur Kwiatkowski Krawczyk Piotrowski Grabowski Nowakowski Pawlowski Michalski Nowicki"
        " Adamczyk Dudek Zajac Wieczorek Jablonski Krol Majewski Olszewski Jaworski Wrobel Malinowski Pawlak Walczak"
    ),
    _words(
        "Jansen Vries Bakker Visser Smit Meijer Boer Mulder Groot Bos Vos Peters Hendriks Leeuwen Dekker Brouwer Wit"
        " Dijkstra Smits Graaf Meer Linden Kok Jacobs Haan Vermeulen Heuvel Veen Broek Bruijn Schouten Beek Willems"
        " Vliet Ven Hoekstra Maas Verhoeven Koster Yilmaz"
    ),
    _words(
        "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson"
        " Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis"
        " Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall"
    ),
    _words(
        "wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie song tang"
        " xu deng han feng cao peng zeng xiao tian dong pan yuan cai jiang yu du ye cheng wei su lu ding ren lu yao"
    ),
)

_COMPOSED: tuple[tuple[str, str], ...] = (
    (
        "Alten Blumen Brand Buch Burg Dorn Ecken Eich Eisen Falken Feld Finken Gold Grün Hasel Heiden Hirsch Hohen Holz"
        " Kalten Kirch Kloster Korn Laub Linden Löwen Mai Mühl Neu Ober Ostern Pfeiffen Rosen Sand Schön Silber Stein"
        " Stern Tannen Unter Wald Weiden Wein Wester Winter Ziegel",
        "bach baum berg berger brink bauer hofer hofen hagen hammer mann meier müller rath ried rieder stein thal wald",
    ),
    (
        "Achen Alm Anger Brand Dorn Ebers Eggen Feich Gassen Gschwend Haslin Hinter Hoch Höll Kalten Kirch Lang Leit"
        " Moos Nieder Ober Pichl Ranft Reit Sandt Stein Straß Thal Unter Wald Wies Zell",
        "acher bauer berger brunner egger gruber hofer huber inger lechner maier moser ner reiter wimmer",
    ),
    (
        "Ash Barn Bex Brad Bram Brom Carl Charl Clay Crom Dal Den East Els Farn Fen Gran Hal Har Hart Hath Holl Lang"
        " Lin Mar Mel Nor Old Pem Pres Rad Red Rush Sher Stan Sut Thorn Up Wake Wal Wes Whit",
        "berry bourne bridge brook by cliff combe croft dale don field ford ham ley low more ton well wood",
    ),
    (
        "Bar Biel Bor Brzez Chmiel Czer Dobr Dol Gor Gra Gron Jan Jar Kal Kam Kos Kras Kub Lask Les Lip Mal Mil Mos Ol"
        " Os Pas Pol Rad Rog Rud Sad Sob Sok Star Szym Tar Wit Woj Zal Zab",
        "owski ewski icki inski ecki czyk iak czak owicz arz",
    ),
    (
        "Ach Baan Beek Berg Blom Boog Bosch Brug Dam Does Donk Eik Goed Groen Hage Heide Hof Horst Kamp Klein Kool Laar"
        " Lin Loo Meul Molen Nieuw Oost Plas Poel Rijn Schaap Slot Sten Stok Veld Vel Voor Water West Wijn Wol Zand",
        "aar beek berg bosch burg dam dijk donk heuvel hof huis kamp laan man mans oord sen stra veen veld",
    ),
    (
        "Ash Barn Black Brad Bran Calla Car Dell Dun East Ells Fair Frank Gal Good Gray Hal Hamil Har Hen Hol Jeffer"
        " Ken Lan Lin Mac Mars Mead Mont Nor Pal Pat Pem Ran Red Rich Rock Rus Sander Shel Stan Sul Tal Thorn Wal Whit",
        "berg bridge den dale ell er erson field ford ham kins land ley low man more rick sen son stein ton ville wood",
    ),
    ("", ""),
)
"""Beginnings and endings of the many family names that few people have."""


def _with_composed(frequent: Texts, beginnings: str, endings: str) -> Texts:
    made = [first + last for last in endings.split() for first in beginnings.split()]
    return texts([*frequent.tolist(), *dict.fromkeys(made)])


LAST: tuple[Texts, ...] = tuple(
    _with_composed(frequent, *parts) for frequent, parts in zip(_FREQUENT, _COMPOSED, strict=True)
)
"""By the country's place; Chinese ones in Pinyin, in the order of `FAMILY_CHINESE`."""

FAMILY_CHINESE = _words(
    "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋 唐"
    " 许 邓 韩 冯 曹 彭 曾 肖 田 董 潘 袁 蔡 蒋 余 杜 叶 程 魏 苏 吕 丁 任 卢 姚"
)

NICKS = _words(
    "sun moon star blue red happy lucky magic dragon tiger wolf bear panda cat dog bird fox storm river ocean forest"
    " snow rain sky cloud fire stone gold silver candy coffee pizza music rock jazz guitar racer biker runner gamer"
    " pixel ninja pirate rider angel queen king prince lady boss master home family garden rose lily cherry berry"
    " mausi hase schnecke keks zauber nordlicht kicker adler borussia bienchen sonnenschein traum"
)
"""What people call themselves where their name was taken."""

COMPANIES = _words(
    "nordbau feinwerk lindental hausmann-partner stadtwerk-service brightfield oakmill redbridge greenline-studio"
    " kanzlei-am-markt praxis-am-park autohaus-west holzbau-sued elbdesign rheintech alpinetools millhouse-garden"
    " zielpunkt-media tulip-trade wisla-print beskid-sport polder-advies hafen-logistik waldhof oldtown-books"
    " sternwarte-verein fsv-einheit tsv-nord musikschule-ost cityphysio datenwerk kreativhof steuerbuero-lang"
)
"""Whoever has a domain of their own; the last label is `.example`, which nobody can own."""
