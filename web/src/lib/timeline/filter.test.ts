import { describe, expect, it } from 'vitest';
import { readFilter, writeFilter } from './filter';

describe('filters of the timeline', () => {
  it('are written as a query and read from it again', () => {
    const cases: [string, string][] = [
      ['', ''],
      ['type:image', 'type:image'],
      ['type:VIDEO,image', 'type:image,video'],
      ['camera:"Leica M3" place:Rom', 'camera:"Leica M3" place:Rom'],
      ['place: Rom  archive:Pictures', 'archive:Pictures place:Rom'],
      ['person:"Oma ""Liesl""" "" ""'.trimEnd(), 'person:"Oma ""Liesl""" "" ""'],
      ['beach -type:video date:1974..1980', 'beach -type:video date:1974..1980'],
      // What these fields cannot show is left as it is.
      ['camera:a camera:b', 'camera:a camera:b'],
      ['type:image type:video', 'type:image type:video'],
      ['type:picture', 'type:picture'],
      ['-camera:leica', '-camera:leica'],
      ['type:image,video,audio,document,other', '']
    ];
    for (const [query, again] of cases) {
      expect(writeFilter(readFilter(query)), query).toBe(again);
      expect(readFilter(again)).toEqual(readFilter(writeFilter(readFilter(again))));
    }
  });

  it('stand in their fields', () => {
    expect(readFilter('type:audio archive:"Box 3" camera:canon beach')).toEqual({
      kinds: ['audio'],
      archive: 'Box 3',
      camera: 'canon',
      place: '',
      rest: ['beach']
    });
    const filter = { ...readFilter(''), place: 'Rom "am Tiber"' };
    expect(readFilter(writeFilter(filter)).place).toBe('Rom "am Tiber"');
  });
});
