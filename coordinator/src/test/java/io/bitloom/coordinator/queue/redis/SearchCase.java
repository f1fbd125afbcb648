package io.bitloom.coordinator.queue.redis;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * A small case that {@link QueueSearchIT} searches: what is there at first, and how often what may
 * happen. Outcomes come as often as there are prompts for them.
 *
 * @param jobs how many prompts each job has, by its id
 * @param images most prompts in a lease
 * @param attempts most attempts of a prompt
 * @param moves how often each may happen
 */
record SearchCase(
    String name, Map<String, Integer> jobs, int images, int attempts, Map<Move, Integer> moves) {

  /** What may happen. The first half-step of it changes Redis, the others follow when they like. */
  enum Move {
    /** A client appends the prompts of a job. Without it they are there from the beginning. */
    APPEND,
    LEASE,
    FAIL,
    RELEASE,
    /** A lease is over, whatever its worker does. */
    EXPIRE,
    CANCEL,
    PAUSE,
    SWEEP,
    /** A coordinator dies with all that it has begun. */
    DIE
  }

  /** So many of each of these moves. */
  static Map<Move, Integer> times(Object... movesAndTimes) {
    Map<Move, Integer> times = new EnumMap<>(Move.class);
    for (int i = 0; i < movesAndTimes.length; i += 2) {
      times.put((Move) movesAndTimes[i], (Integer) movesAndTimes[i + 1]);
    }
    return times;
  }

  int times(Move move) {
    return moves.getOrDefault(move, 0);
  }

  List<String> jobIds() {
    return jobs.keySet().stream().sorted().toList();
  }
}
