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

/** What a region is called in a language, as far as that is known. */
export function regionIn(language: string, country: string, region: string): string {
  return (language.startsWith('de') && GERMAN[country]?.[region]) || region;
}
