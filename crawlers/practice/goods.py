"""The trade's vocabulary for invented goods: products, hazards, foods, makers and countries in several languages.

Words are ordinary trade words; brands, firms and numbers are made up by dice. Each publisher file prints them in its
own fields and wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Hazard:
    """What can hurt. sentence: '{thing}' is the product; law: what it breaks, '{standard}' a standard."""

    european: str
    american: str
    canadian: str
    french: str
    sentence: str
    law: str


CHOKING = Hazard(
    "Choking",
    "Choking",
    "Choking hazard",
    "Risque d'étouffement",
    "Small parts come off the {thing} under little force. A young child may put them in the mouth and choke.",
    "The product does not comply with the Toy Safety Directive or the standard {standard}.",
)
BATTERY = Hazard(
    "Choking, Injuries",
    "Ingestion",
    "Ingestion hazard",
    "Risque d'ingestion",
    "The compartment of the {thing} opens without a tool and gives access to a button cell battery. "
    "Swallowed, it burns internal tissue within two hours.",
    "The product does not comply with the Toy Safety Directive or the standard {standard}.",
)
CORDS = Hazard(
    "Strangulation",
    "Strangulation",
    "Strangulation hazard",
    "Risque d'étranglement",
    "The {thing} has long drawstrings with free ends at the hood. They can be caught while the child moves and strangle it.",
    "The product does not comply with the standard {standard}.",
)
SHOCK = Hazard(
    "Electric shock",
    "Shock",
    "Electrical hazard",
    "Risque de choc électrique",
    "The insulation between primary and secondary circuit of the {thing} is too thin. A user may touch live parts and "
    "receive an electric shock.",
    "The product does not comply with the Low Voltage Directive or the standard {standard}.",
)
FIRE = Hazard(
    "Fire",
    "Fire",
    "Fire hazard",
    "Risque d'incendie",
    "The lithium-ion cells of the {thing} have no protection against overcharging. They may overheat, go into thermal "
    "runaway and start a fire.",
    "The product does not comply with the General Product Safety Regulation or the standard {standard}.",
)
BURNS = Hazard(
    "Burns, Fire",
    "Burn",
    "Burn hazard",
    "Risque de brûlure",
    "Surfaces of the {thing} that are touched in use reach 96 °C and may burn the user.",
    "The product does not comply with the Low Voltage Directive or the standard {standard}.",
)
PHTHALATES = Hazard(
    "Chemical",
    "Violation of federal phthalates ban",
    "Chemical hazard",
    "Risque chimique",
    "The plastic of the {thing} contains bis(2-ethylhexyl) phthalate (DEHP), measured value 12.4 % by weight. "
    "It may harm the reproductive system.",
    "The product does not comply with the REACH Regulation (EC) No 1907/2006.",
)
LEAD = Hazard(
    "Chemical, Environment",
    "Lead poisoning",
    "Chemical hazard",
    "Risque chimique",
    "The solders of the {thing} contain lead, measured value 61 % by weight, and the paint contains cadmium.",
    "The product does not comply with the RoHS 2 Directive 2011/65/EU.",
)
BANNED = Hazard(
    "Chemical",
    "Poisoning",
    "Chemical hazard",
    "Risque chimique",
    "According to the list of ingredients the {thing} contains 2-(4-tert-butylbenzyl) propionaldehyde (BMHCA), which is "
    "prohibited in cosmetic products. It may harm the unborn child.",
    "The product does not comply with the Cosmetic Products Regulation (EC) No 1223/2009.",
)
FALL = Hazard(
    "Injuries",
    "Fall",
    "Fall hazard",
    "Risque de chute",
    "The buckle of the {thing} may open under load. The child may fall.",
    "The product does not comply with the standard {standard}.",
)
TIPPING = Hazard(
    "Injuries",
    "Tip-over and Entrapment",
    "Tip-over hazard",
    "Risque de basculement",
    "The {thing} is unstable if it is not anchored to the wall and may tip over on a child.",
    "The product does not comply with the standard {standard}.",
)
SIGHT = Hazard(
    "Damage to sight",
    "Laser",
    "Eye injury hazard",
    "Risque de lésion oculaire",
    "The beam of the {thing} is too powerful. Looking into it may damage the sight.",
    "The product does not comply with the standard {standard}.",
)
DROWNING = Hazard(
    "Drowning",
    "Drowning",
    "Drowning hazard",
    "Risque de noyade",
    "The {thing} loses its buoyancy when one air chamber leaks. The user may drown.",
    "The product does not comply with the Personal Protective Equipment Regulation or the standard {standard}.",
)
BRAKES = Hazard(
    "Injuries",
    "Crash",
    "Crash hazard",
    "Risque d'accident",
    "A joint of the {thing} may break while riding and the rider may fall.",
    "The product does not comply with the Machinery Directive or the standard {standard}.",
)
MICROBES = Hazard(
    "Microbiological",
    "Bacteria Exposure",
    "Microbial hazard",
    "Risque microbiologique",
    "Pseudomonas aeruginosa was found in the {thing}. It may infect people with a weak immune system.",
    "The product does not comply with the Cosmetic Products Regulation (EC) No 1223/2009.",
)


@dataclass(frozen=True, slots=True)
class Good:
    """A product that is not food. native: the name in other languages, by ISO 639-1; hs and ics: its codes."""

    name: str
    french: str
    native: dict[str, str]
    european: str  # Safety Gate category
    canadian: str
    american: str  # CPSC product type
    hs: str
    ics: str
    standard: str
    hazards: tuple[Hazard, ...]


GOODS = (
    Good("Plush bear", "Ours en peluche", {"zh": "毛绒玩具熊", "de": "Plüschbär", "es": "Oso de peluche"},
         "Toys", "Toys and games", "Toys", "950300", "97.200.50", "EN 71-1", (CHOKING, PHTHALATES)),
    Good("Magnetic building set", "Jeu de construction magnétique", {"zh": "磁力积木", "ja": "マグネット"},
         "Toys", "Toys and games", "Toys", "950300", "97.200.50", "EN 71-1", (CHOKING, BATTERY)),
    Good("Toy car with remote control", "Voiture télécommandée", {"zh": "遥控玩具车", "ar": "سيارة لعبة"},
         "Toys", "Toys and games", "Toys", "950300", "97.200.50", "EN 62115", (FIRE, BATTERY)),
    Good("Bath toy set", "Jouets de bain", {"zh": "沐浴玩具", "ja": "おふろのおもちゃ"},
         "Toys", "Toys and games", "Toys", "950300", "97.200.50", "EN 71-12", (CHOKING, MICROBES)),
    Good("Slime kit", "Kit de slime", {"zh": "水晶泥套装", "de": "Schleim-Set", "es": "Kit de slime"},
         "Toys", "Toys and games", "Toys", "950300", "97.200.50", "EN 71-3", (BANNED, PHTHALATES)),
    Good("Toy projector", "Projecteur jouet", {"zh": "玩具投影灯", "ko": "장난감 프로젝터"},
         "Toys", "Toys and games", "Toys", "950300", "97.200.50", "EN 62115", (SIGHT, BATTERY)),
    Good("USB charger", "Chargeur USB", {"zh": "USB充电器", "de": "USB-Ladegerät", "ar": "شاحن"},
         "Electrical appliances and equipment", "Electronics", "Chargers", "850440", "29.200", "EN 62368-1", (SHOCK, FIRE)),
    Good("Power bank", "Batterie externe", {"zh": "移动电源", "ja": "モバイルバッテリー"},
         "Electrical appliances and equipment", "Electronics", "Batteries", "850760", "29.220.30",
         "IEC 62133-2", (FIRE, BURNS)),
    Good("Hair dryer brush", "Brosse soufflante", {"zh": "电热吹风梳", "de": "Warmluftbürste"},
         "Electrical appliances and equipment", "Beauty and personal care", "Hair Dryers", "851631", "97.170",
         "IEC 60335-2-23", (SHOCK, BURNS)),
    Good("Electric kettle", "Bouilloire électrique", {"zh": "电热水壶", "es": "Hervidor eléctrico", "ko": "전기주전자"},
         "Electrical appliances and equipment", "Appliances", "Kitchen Appliances", "851679", "97.040.50",
         "IEC 60335-1", (SHOCK, BURNS)),
    Good("Travel adaptor", "Adaptateur de voyage", {"zh": "旅行转换插头", "de": "Reisestecker"},
         "Electrical appliances and equipment", "Electronics", "Extension Cords", "853669", "29.120.30",
         "IEC 60884-1", (SHOCK,)),
    Good("Lighting chain", "Guirlande lumineuse", {"zh": "灯串", "de": "Lichterkette", "es": "Guirnalda de luces"},
         "Lighting chains", "Household items", "Lights & Accessories", "940530", "29.140.40", "EN 60598-2-20", (SHOCK, FIRE)),
    Good("LED lamp", "Lampe LED", {"zh": "LED灯", "ja": "LEDランプ"},
         "Lighting equipment", "Household items", "Lights & Accessories", "853952", "29.140.30", "EN 62560", (SHOCK,)),
    Good("Electric bicycle", "Vélo électrique", {"zh": "电动自行车", "de": "Elektrofahrrad", "ko": "전기 자전거"},
         "Motor vehicles", "Sports and fitness", "E-Bikes", "871160", "43.150", "EN 15194", (FIRE, BRAKES)),
    Good("Electric scooter", "Trottinette électrique", {"zh": "电动滑板车", "es": "Patinete eléctrico", "ar": "سكوتر كهربائي"},
         "Hobby/sports equipment", "Sports and fitness", "Scooters", "871160", "43.150", "EN 17128", (BRAKES, FIRE)),
    Good("Children's hooded jacket", "Veste à capuche pour enfant", {"zh": "儿童连帽外套", "de": "Kinderjacke mit Kapuze"},
         "Clothing, textiles and fashion items", "Clothing and accessories", "Children's Outerwear", "620293", "61.020",
         "EN 14682", (CORDS,)),
    Good("Children's swimsuit", "Maillot de bain pour enfant", {"zh": "儿童泳衣", "es": "Bañador infantil"},
         "Clothing, textiles and fashion items", "Clothing and accessories", "Children's Swimwear", "611241", "61.020",
         "EN 14682", (CORDS, PHTHALATES)),
    Good("Baby carrier", "Porte-bébé", {"zh": "婴儿背带", "ja": "抱っこひも", "ko": "아기띠"},
         "Childcare articles and children's equipment", "Infant products", "Infant Carriers", "630790", "97.190",
         "EN 13209-2", (FALL,)),
    Good("Dummy clip", "Attache-tétine", {"zh": "奶嘴链", "de": "Schnullerkette"},
         "Childcare articles and children's equipment", "Infant products", "Pacifiers", "392690", "97.190",
         "EN 12586", (CHOKING,)),
    Good("Cot mattress", "Matelas pour lit d'enfant", {"zh": "婴儿床垫", "de": "Kinderbettmatratze"},
         "Childcare articles and children's equipment", "Infant products", "Crib Mattresses", "940429", "97.140",
         "EN 16890", (TIPPING,)),
    Good("Six-drawer dresser", "Commode à six tiroirs", {"zh": "六斗柜", "es": "Cómoda de seis cajones"},
         "Furniture", "Furniture and furnishings", "Desks, Dressers, Chests, Bureaus, or Buffets", "940350", "97.140",
         "EN 14749", (TIPPING,)),
    Good("Skin-lightening cream", "Crème éclaircissante", {"zh": "美白霜", "ar": "كريم تفتيح", "de": "Aufhellungscreme"},
         "Cosmetics", "Beauty and personal care", "Cosmetics", "330499", "71.100.70", "ISO 17516", (BANNED, MICROBES)),
    Good("Eau de toilette", "Eau de toilette", {"zh": "淡香水", "ar": "ماء تواليت"},
         "Cosmetics", "Beauty and personal care", "Cosmetics", "330300", "71.100.70", "ISO 17516", (BANNED,)),
    Good("Hair colour", "Coloration capillaire", {"zh": "染发剂", "ja": "ヘアカラー"},
         "Cosmetics", "Beauty and personal care", "Cosmetics", "330590", "71.100.70", "ISO 17516", (BANNED,)),
    Good("Necklace", "Collier", {"zh": "项链", "de": "Halskette"},
         "Jewellery", "Jewellery", "Jewelry", "711719", "39.060", "EN 1811", (LEAD,)),
    Good("Laser pointer", "Pointeur laser", {"zh": "激光笔", "ja": "レーザーポインター"},
         "Laser pointers", "Electronics", "Lasers", "901320", "31.260", "EN 60825-1", (SIGHT,)),
    Good("Swimming vest", "Gilet de natation", {"zh": "儿童游泳背心", "ko": "수영 조끼"},
         "Protective equipment", "Sports and fitness", "Life Jackets", "630720", "13.340.70", "EN 13138-1", (DROWNING,)),
    Good("Bicycle helmet", "Casque de vélo", {"zh": "自行车头盔", "de": "Fahrradhelm"},
         "Protective equipment", "Sports and fitness", "Helmets & Helmet Accessories", "650610", "13.340.20",
         "EN 1078", (BRAKES,)),
    Good("Melamine bowl", "Bol en mélamine", {"zh": "密胺碗", "ja": "メラミンボウル"},
         "Kitchen/cooking accessories", "Kitchenware and tableware", "Tableware", "392410", "97.040.60",
         "EN 13130-1", (PHTHALATES,)),
    Good("Tattoo ink", "Encre de tatouage", {"zh": "纹身墨水", "de": "Tätowierfarbe"},
         "Chemical products", "Beauty and personal care", "Tattoo Products", "321590", "71.100",
         "ISO 17516", (BANNED, MICROBES)),
)  # fmt: skip


class Danger(NamedTuple):
    """A hazard in food. rasff: as RASFF prints it; kind: its category; pathogen/allergen: FSA notation, '' for none."""

    name: str
    rasff: str
    kind: str
    french: str
    pathogen: str = ""
    allergen: str = ""


SALMONELLA = Danger("Salmonella", "Salmonella spp. - pathogenic micro-organisms", "Pathogenic micro-organisms",
                    "Salmonella", pathogen="salmonella")  # fmt: skip
LISTERIA = Danger("Listeria monocytogenes", "Listeria monocytogenes - pathogenic micro-organisms",
                  "Pathogenic micro-organisms", "Listeria", pathogen="listeria")  # fmt: skip
AFLATOXIN = Danger("aflatoxins", "Aflatoxin B1 - mycotoxins", "Mycotoxins", "Aflatoxines")
CADMIUM = Danger("cadmium", "Cadmium - heavy metals", "Heavy metals", "Cadmium")
CHLORPYRIFOS = Danger("chlorpyrifos", "Chlorpyrifos - pesticide residues", "Pesticide residues", "Chlorpyrifos")
AMINES = Danger("primary aromatic amines", "Primary aromatic amines - migration", "Migration", "Amines aromatiques")
MELAMINE = Danger("formaldehyde", "Formaldehyde - migration", "Migration", "Formaldéhyde")
SULPHITE = Danger("sulphites", "Sulphite - food additives and flavourings", "Food additives and flavourings",
                  "Sulfites", allergen="sulphur-dioxide")  # fmt: skip
MILK = Danger("milk", "Milk ingredient - allergens", "Allergens", "Lait", allergen="milk")
PEANUT = Danger("peanuts", "Peanut - allergens", "Allergens", "Arachide", allergen="peanuts")
SOYA = Danger("soya", "Soya - allergens", "Allergens", "Soja", allergen="soya")
GLASS = Danger("pieces of glass", "Glass fragments - foreign bodies", "Foreign bodies", "Matière étrangère")


@dataclass(frozen=True, slots=True)
class Food:
    """Food, feed or a food-contact article. category: as RASFF prints it."""

    name: str
    french: str
    native: dict[str, str]
    category: str
    canadian: str
    hs: str
    dangers: tuple[Danger, ...]


FOODS = (
    Food("Dried mushrooms", "Champignons séchés", {"zh": "干香菇", "de": "Getrocknete Pilze"},
         "Fruits and vegetables", "Fruits and vegetables", "071234", (CHLORPYRIFOS, SULPHITE)),
    Food("Peanut kernels", "Arachides décortiquées", {"zh": "花生仁", "es": "Cacahuetes pelados"},
         "Nuts, nut products and seeds", "Nuts, grains, and seeds", "120242", (AFLATOXIN,)),
    Food("Sesame seeds", "Graines de sésame", {"zh": "芝麻", "ar": "بذور السمسم"},
         "Nuts, nut products and seeds", "Nuts, grains, and seeds", "120740", (SALMONELLA,)),
    Food("Frozen shrimps", "Crevettes congelées", {"zh": "冷冻虾", "ja": "冷凍えび"},
         "Crustaceans and products thereof", "Fish and seafood", "030617", (SULPHITE, SALMONELLA)),
    Food("Chicken breast fillets", "Filets de poulet", {"de": "Hähnchenbrustfilet", "zh": "鸡胸肉"},
         "Poultry meat and poultry meat products", "Meat and poultry", "020714", (SALMONELLA,)),
    Food("Cooked ham slices", "Tranches de jambon cuit", {"de": "Kochschinken", "es": "Jamón cocido"},
         "Meat and meat products (other than poultry)", "Meat and poultry", "160241", (LISTERIA,)),
    Food("Soft cheese", "Fromage à pâte molle", {"de": "Weichkäse", "fr": "Fromage à pâte molle"},
         "Milk and milk products", "Dairy", "040690", (LISTERIA,)),
    Food("Green tea", "Thé vert", {"zh": "绿茶", "ja": "緑茶"},
         "Cocoa and cocoa preparations, coffee and tea", "Non-alcoholic", "090220", (CHLORPYRIFOS,)),
    Food("Chocolate bar", "Barre de chocolat", {"de": "Schokoladenriegel", "ko": "초콜릿 바"},
         "Confectionery", "Candy, confectionary, snacks and sweeteners", "180632", (MILK, PEANUT)),
    Food("Instant noodles", "Nouilles instantanées", {"zh": "方便面", "ko": "라면"},
         "Cereals and bakery products", "Grain products", "190230", (SOYA, MILK)),
    Food("Soy sauce", "Sauce soja", {"zh": "酱油", "ja": "しょうゆ"},
         "Soups, broths, sauces and condiments", "Condiments", "210310", (PEANUT, GLASS)),
    Food("Infant cereal", "Céréales pour bébés", {"zh": "婴幼儿米粉", "de": "Babybrei"},
         "Dietetic foods, food supplements and fortified foods", "Infant products", "190110", (CADMIUM, SALMONELLA)),
    Food("Melamine kitchen spoon", "Cuillère de cuisine en mélamine", {"zh": "密胺汤勺", "de": "Küchenlöffel"},
         "Food contact materials", "Household items", "392410", (MELAMINE, AMINES)),
    Food("Nylon turner", "Spatule en nylon", {"zh": "尼龙锅铲", "de": "Pfannenwender aus Nylon"},
         "Food contact materials", "Household items", "392410", (AMINES,)),
    Food("Bamboo fibre cup", "Gobelet en fibre de bambou", {"zh": "竹纤维杯", "de": "Bambusbecher"},
         "Food contact materials", "Household items", "392410", (MELAMINE,)),
)  # fmt: skip


class Country(NamedTuple):
    """A country as English publishers name it, its ISO code and its French name."""

    name: str
    code: str
    french: str


CHINA = Country("China", "CN", "Chine")
ORIGINS = (
    Country("Türkiye", "TR", "Turquie"), Country("India", "IN", "Inde"), Country("Germany", "DE", "Allemagne"),
    Country("Italy", "IT", "Italie"), Country("France", "FR", "France"), Country("Viet Nam", "VN", "Viêt Nam"),
    Country("United States", "US", "États-Unis"), Country("Poland", "PL", "Pologne"), Country("Japan", "JP", "Japon"),
    Country("Thailand", "TH", "Thaïlande"), Country("Spain", "ES", "Espagne"), Country("Mexico", "MX", "Mexique"),
)  # fmt: skip
NOTIFIERS = (
    Country("Germany", "DE", "Allemagne"), Country("France", "FR", "France"), Country("Italy", "IT", "Italie"),
    Country("Sweden", "SE", "Suède"), Country("Lithuania", "LT", "Lituanie"), Country("Hungary", "HU", "Hongrie"),
    Country("Poland", "PL", "Pologne"), Country("Czechia", "CZ", "Tchéquie"), Country("Spain", "ES", "Espagne"),
    Country("Ireland", "IE", "Irlande"), Country("Finland", "FI", "Finlande"), Country("Slovakia", "SK", "Slovaquie"),
)  # fmt: skip

_BRAND_STARTS = [
    "Lumo",
    "Kivi",
    "Nor",
    "Zephy",
    "Tali",
    "Brix",
    "Oka",
    "Velu",
    "Mira",
    "Sono",
    "Petri",
    "Quan",
    "Xilo",
    "Fenn",
    "Haru",
    "Dova",
    "Ruma",
    "Jelo",
    "Aero",
    "Wico",
]
_BRAND_ENDS = [
    "ra",
    "nest",
    "tek",
    "lino",
    "bo",
    "dex",
    "via",
    "mon",
    "sy",
    "kids",
    "gear",
    "play",
    "ola",
    "fix",
    "ton",
    "wave",
    "mi",
    "zen",
    "go",
    "life",
]
_CITIES = [
    "Shenzhen",
    "Ningbo",
    "Yiwu",
    "Guangzhou",
    "Dongguan",
    "Shantou",
    "Xiamen",
    "Hangzhou",
    "Foshan",
    "Zhongshan",
    "Qingdao",
    "Suzhou",
]
_FIRM_WORDS = [
    "Brightlark",
    "Northgate",
    "Silverreed",
    "Goldenpine",
    "Eastharbour",
    "Bluecrane",
    "Redlantern",
    "Clearbrook",
    "Tallcedar",
]
_NATIVE_BRANDS = ("小北星", "云雀", "ほしのこ", "달빛", "نجم البحر", "Étoile Filante", "Löwenherz", "Niño Azul")


def origin(dice: Random) -> Country:
    """Where a product was made: China in one case of two."""
    return CHINA if dice.random() < 0.5 else dice.choice(ORIGINS)


def brand(dice: Random) -> str:
    """An invented brand, in another script now and then."""
    if dice.random() < 0.06:
        return dice.choice(_NATIVE_BRANDS)
    return dice.choice(_BRAND_STARTS) + dice.choice(_BRAND_ENDS)


def firm(dice: Random, country: Country) -> str:
    """An invented company in a country."""
    word = dice.choice(_FIRM_WORDS)
    if country.code == "CN":
        return (
            f"{dice.choice(_CITIES)} {word} {dice.choice(('Technology', 'Trading', 'Electronics', 'Toys'))} Co., Ltd."
        )
    endings = {"DE": "GmbH", "FR": "SAS", "IT": "S.r.l.", "ES": "S.L.", "PL": "Sp. z o.o.", "JP": "K.K.", "TR": "A.Ş."}
    return f"{word} {dice.choice(('Foods', 'Brands', 'Home', 'Supply'))} {endings.get(country.code, 'Inc.')}"


def model(dice: Random) -> str:
    """An invented model number."""
    letters = "".join(dice.choices("ABCDEFGHJKLMNPRSTVWXYZ", k=2))
    return f"{letters}-{dice.randrange(100, 9999)}"


def batch(dice: Random) -> str:
    """An invented batch number."""
    return f"{dice.choice('LBX')}{dice.randrange(100000, 999999)}"


def gtin(dice: Random, prefix: str = "690") -> str:
    """An invented 13-digit GTIN with the right check digit; 690 is a Chinese prefix."""
    digits = prefix + "".join(dice.choices("0123456789", k=12 - len(prefix)))
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-total % 10)
