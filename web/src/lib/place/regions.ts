/**
 * What regions are called in German, where the table of places has another name for them: those of the countries
 * where German is spoken. Elsewhere the table's name stands, which is English or the country's own.
 */
export const GERMAN: Record<string, Record<string, string>> = {
  DE: {
    'Baden-Wurttemberg': 'Baden-Württemberg',
    Bavaria: 'Bayern',
    Hesse: 'Hessen',
    'Lower Saxony': 'Niedersachsen',
    'North Rhine-Westphalia': 'Nordrhein-Westfalen',
    Saxony: 'Sachsen',
    'Saxony-Anhalt': 'Sachsen-Anhalt',
    'State of Berlin': 'Berlin',
    Thuringia: 'Thüringen'
  },
  AT: {
    Carinthia: 'Kärnten',
    'Lower Austria': 'Niederösterreich',
    Styria: 'Steiermark',
    Tyrol: 'Tirol',
    'Upper Austria': 'Oberösterreich',
    Vienna: 'Wien'
  },
  CH: {
    'Basel-City': 'Basel-Stadt',
    Fribourg: 'Freiburg',
    Geneva: 'Genf',
    Grisons: 'Graubünden',
    Lucerne: 'Luzern',
    Neuchâtel: 'Neuenburg',
    'Saint Gallen': 'St. Gallen',
    Ticino: 'Tessin',
    Valais: 'Wallis',
    Vaud: 'Waadt',
    Zurich: 'Zürich'
  }
};

/**
 * What towns are called in German, where the table of places has an English name, which is neither theirs nor ours.
 * By others, older ones included, they are found and not shown.
 */
export const GERMAN_TOWNS: Record<string, Record<string, string>> = {
  AT: { Vienna: 'Wien' },
  BE: { Brussels: 'Brüssel' },
  CN: { Beijing: 'Peking' },
  CU: { Havana: 'Havanna' },
  CZ: { Prague: 'Prag' },
  DE: { Munich: 'München' },
  DK: { Copenhagen: 'Kopenhagen' },
  EG: { Cairo: 'Kairo' },
  GR: { Athens: 'Athen', Corfu: 'Korfu' },
  IT: {
    Florence: 'Florenz',
    Genoa: 'Genua',
    Milan: 'Mailand',
    Naples: 'Neapel',
    Rome: 'Rom',
    Venice: 'Venedig'
  },
  LU: { Luxembourg: 'Luxemburg' },
  MX: { 'Mexico City': 'Mexiko-Stadt' },
  NL: { 'The Hague': 'Den Haag' },
  PL: { Warsaw: 'Warschau' },
  PT: { Lisbon: 'Lissabon' },
  RO: { Bucharest: 'Bukarest' },
  RS: { Belgrade: 'Belgrad' },
  RU: { Moscow: 'Moskau', 'Saint Petersburg': 'Sankt Petersburg' },
  SG: { Singapore: 'Singapur' }
};

/** What a town is called in a language, as far as that is known. */
export function townIn(language: string, country: string, name: string): string {
  return (language.startsWith('de') && GERMAN_TOWNS[country]?.[name]) || name;
}

/** What a region is called in a language, as far as that is known. */
export function regionIn(language: string, country: string, region: string): string {
  return (language.startsWith('de') && GERMAN[country]?.[region]) || region;
}
