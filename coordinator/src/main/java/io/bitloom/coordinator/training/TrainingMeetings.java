package io.bitloom.coordinator.training;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.WorkerRights;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where the processes of a training run meet, in memory. A meeting is over when all processes know
 * the address, or after ten minutes, so that processes that start again do not get an old one.
 * Until then it belongs to the token of the process that opened it. Used by several threads.
 */
public final class TrainingMeetings {
  private static final int MAX_MEETINGS_OF_A_TOKEN = 100;
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final Pattern ADDRESS = Pattern.compile("[A-Za-z0-9.:_\\[\\]-]{1,255}:\\d{1,5}");

  private final Clock clock;
  private final Map<String, Meeting> meetings = new LinkedHashMap<>();

  private record Meeting(String token, String address, Instant since, Set<Integer> missing) {}

  /** No meetings yet. */
  public TrainingMeetings(Clock clock) {
    this.clock = clock;
  }

  /**
   * A process comes.
   *
   * @param rights of the token that it came with
   * @param address where rank 0 is going to listen; empty from the others
   * @return the address; empty as long as rank 0 has not come
   * @throws BitloomException naming the field that is wrong; {@code PERMISSION_DENIED} if the group
   *     is none of that token
   */
  public synchronized String come(
      WorkerRights rights, String group, int rank, int count, String address) {
    require(NAME.matcher(group).matches(), "group", group, "letters, digits, dashes");
    require(count >= 1 && count <= 10_000, "count", count, "1 to 10000");
    require(rank >= 0 && rank < count, "rank", rank, "0 to " + (count - 1));
    boolean first = rank == 0;
    require(
        first ? ADDRESS.matcher(address).matches() : address.isEmpty(),
        "address",
        address,
        first ? "host:port" : "empty but from rank 0");
    rights.checkGroup(group);
    Instant oldest = clock.instant().minus(PATIENCE);
    meetings.values().removeIf(meeting -> meeting.since().isBefore(oldest));
    Meeting meeting = meetings.get(group);
    if (meeting != null && !meeting.token().equals(rights.token())) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED,
          "training group \"" + group + "\" belongs to another token until its processes have met");
    }
    if (first) {
      open(rights.token(), group, count, address);
      return address;
    }
    if (meeting == null) {
      return "";
    }
    meeting.missing().remove(rank);
    if (meeting.missing().isEmpty()) {
      meetings.remove(group);
    }
    return meeting.address();
  }

  private void open(String token, String group, int count, String address) {
    meetings.remove(group);
    Set<Integer> missing = new HashSet<>();
    for (int other = 1; other < count; other++) {
      missing.add(other);
    }
    if (!missing.isEmpty()) {
      meetings.put(group, new Meeting(token, address, clock.instant(), missing));
    }
    List<String> ofToken =
        meetings.keySet().stream()
            .filter(known -> meetings.get(known).token().equals(token))
            .toList();
    if (ofToken.size() > MAX_MEETINGS_OF_A_TOKEN) {
      meetings.remove(ofToken.get(0));
    }
  }

  private static void require(boolean holds, String field, Object value, String expected) {
    if (!holds) {
      throw BitloomException.invalid(field, String.valueOf(value), "must be " + expected);
    }
  }
}
