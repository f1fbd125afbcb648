package io.bitloom.coordinator.training;

import io.bitloom.common.error.BitloomException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where the processes of a training run meet, in memory. A meeting is over when all processes know
 * the address, or after ten minutes, so that processes that start again do not get an old one. Used
 * by several threads.
 */
public final class TrainingMeetings {
  private static final int MAX_MEETINGS = 100;
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final Pattern ADDRESS = Pattern.compile("[A-Za-z0-9.:_\\[\\]-]{1,255}:\\d{1,5}");

  private final Clock clock;
  private final Map<String, Meeting> meetings = new LinkedHashMap<>();

  private record Meeting(String address, Instant since, Set<Integer> missing) {}

  /** No meetings yet. */
  public TrainingMeetings(Clock clock) {
    this.clock = clock;
  }

  /**
   * A process comes.
   *
   * @param address where rank 0 is going to listen; empty from the others
   * @return the address; empty as long as rank 0 has not come
   * @throws BitloomException naming the field that is wrong
   */
  public synchronized String come(String group, int rank, int count, String address) {
    require(NAME.matcher(group).matches(), "group", group, "letters, digits, dashes");
    require(count >= 1 && count <= 10_000, "count", count, "1 to 10000");
    require(rank >= 0 && rank < count, "rank", rank, "0 to " + (count - 1));
    boolean first = rank == 0;
    require(
        first ? ADDRESS.matcher(address).matches() : address.isEmpty(),
        "address",
        address,
        first ? "host:port" : "empty but from rank 0");
    Instant oldest = clock.instant().minus(PATIENCE);
    meetings.values().removeIf(meeting -> meeting.since().isBefore(oldest));
    if (first) {
      open(group, count, address);
      return address;
    }
    Meeting meeting = meetings.get(group);
    if (meeting == null) {
      return "";
    }
    meeting.missing().remove(rank);
    if (meeting.missing().isEmpty()) {
      meetings.remove(group);
    }
    return meeting.address();
  }

  private void open(String group, int count, String address) {
    meetings.remove(group);
    Set<Integer> missing = new HashSet<>();
    for (int other = 1; other < count; other++) {
      missing.add(other);
    }
    if (!missing.isEmpty()) {
      meetings.put(group, new Meeting(address, clock.instant(), missing));
    }
    if (meetings.size() > MAX_MEETINGS) {
      meetings.remove(meetings.keySet().iterator().next());
    }
  }

  private static void require(boolean holds, String field, Object value, String expected) {
    if (!holds) {
      throw BitloomException.invalid(field, String.valueOf(value), "must be " + expected);
    }
  }
}
