/** Pages of the app; everything else that is navigated to is the server's, which has the same list. */
export const PAGES =
  /^\/(?:$|search$|places$|people(?:\/|$)|duplicates$|runs(?:\/|$)|collections(?:\/|$)|lineage\/|archives$|backups$|transfers$|models$|add$|settings$|help$|offline$|assets\/[^/]+(?:\/reading)?$)/;
