/** What plays in the viewer, and where it is: the player and what is shown beside it know each other by this alone. */
class Playing {
  /** Where it is, in seconds. */
  at = $state(0);
  isPlaying = $state(false);
  #player: HTMLMediaElement | undefined;

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
    if (!player) return;
    player.currentTime = seconds;
    this.at = seconds;
    // A browser may refuse to play what nobody touched: then it waits there.
    if (plays) void player.play().catch(() => {});
  }
}

export const playing = new Playing();
