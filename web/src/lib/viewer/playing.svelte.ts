/** What plays in the viewer, and where it is: the player and what is shown beside it know each other by this alone. */
class Playing {
  /** Where it is, in seconds. */
  at = $state(0);
  isPlaying = $state(false);
  #player: HTMLMediaElement | undefined;
  /** Takes away what waits for the end of a stretch. */
  #leave: (() => void) | undefined;

  /** Called by the player when it is there; gives what to call when it is gone. */
  attach(player: HTMLMediaElement): () => void {
    this.#player = player;
    this.at = 0;
    return () => {
      if (this.#player === player) this.#player = undefined;
    };
  }

  /** Goes to a second, and plays from there if somebody wants to hear it. */
  seek(seconds: number, plays = false): void {
    const player = this.#player;
    this.#leave?.();
    if (!player) return;
    player.currentTime = seconds;
    this.at = seconds;
    // A browser may refuse to play what nobody touched: then it waits there.
    if (plays) void player.play().catch(() => {});
  }

  /** Plays a stretch, in seconds, and stops where it ends. */
  hear(from: number, until: number): void {
    this.seek(from, true);
    const player = this.#player;
    if (!player) return;
    const wait = () => {
      if (player.currentTime < until) return;
      this.#leave?.();
      player.pause();
    };
    this.#leave = () => player.removeEventListener('timeupdate', wait);
    player.addEventListener('timeupdate', wait);
  }
}

export const playing = new Playing();
