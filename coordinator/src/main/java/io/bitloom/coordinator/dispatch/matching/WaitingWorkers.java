package io.bitloom.coordinator.dispatch.matching;

import io.bitloom.coordinator.models.WorkerProfile;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The workers that may get batches, and the order in which those get one that wait for it. The
 * order is kept as workers change, by model: what becomes of one costs nothing for the others.
 * Confined to the dispatch loop.
 */
final class WaitingWorkers {

  /**
   * A place in the order: first who has nothing to do, then who has fewest batches, then who waits
   * longest.
   *
   * @param since counts up as workers begin to wait, so that no two of them have the same place
   */
  record Place(int batches, long since) implements Comparable<Place> {

    /** Before all others. */
    static final Place FIRST = new Place(0, 0);

    private static final Comparator<Place> ORDER =
        Comparator.comparingInt(Place::batches).thenComparingLong(Place::since);

    /** The place behind this one. */
    Place next() {
      return new Place(batches, since + 1);
    }

    @Override
    public int compareTo(Place other) {
      return ORDER.compare(this, other);
    }
  }

  /** A worker. */
  static final class Member {

    private final BatchTaker taker;
    private boolean leasing;
    private boolean gone;

    /** When it began to wait for what it has not got yet; 0: it does not wait. */
    private long since;

    /** Where it is in the order; null: it is not there. */
    private Place place;

    /** The models under which it is there. */
    private Set<String> models = Set.of();

    private Member(BatchTaker taker) {
      this.taker = taker;
    }

    BatchTaker taker() {
      return taker;
    }

    WorkerProfile profile() {
      return taker.profile();
    }

    Place place() {
      return place;
    }
  }

  private final Map<WorkerProfile, Member> members = new HashMap<>();
  private final Map<String, NavigableMap<Place, Member>> byModel = new HashMap<>();
  private int waiting;
  private long clock;

  /** Takes a worker in. */
  Member add(BatchTaker taker) {
    Member member = new Member(taker);
    members.put(taker.profile(), member);
    place(member);
    return member;
  }

  void remove(WorkerProfile worker) {
    Member member = members.remove(worker);
    if (member != null) {
      member.gone = true;
      leave(member);
    }
  }

  Optional<Member> find(WorkerProfile worker) {
    return Optional.ofNullable(members.get(worker));
  }

  /** Whether nobody waits. */
  boolean isEmpty() {
    return waiting == 0;
  }

  /** The first of those with a model that wait at this place or behind it. */
  Optional<Member> from(String model, Place place) {
    NavigableMap<Place, Member> ofModel = byModel.get(model);
    return ofModel == null
        ? Optional.empty()
        : Optional.ofNullable(ofModel.ceilingEntry(place)).map(Map.Entry::getValue);
  }

  /** A batch is asked for: until the answer the worker does not wait for another. */
  void leasing(Member member) {
    member.leasing = true;
    leave(member);
  }

  /**
   * A batch was asked for, and there is an answer.
   *
   * @param taken whether the worker has a batch now
   */
  void leased(Member member, boolean taken) {
    member.leasing = false;
    if (taken) {
      member.since = 0;
    }
    place(member);
  }

  /** Puts a worker where it belongs, after what it wants or what it has may have changed. */
  void place(Member member) {
    boolean wants = !member.gone && member.taker.wantsBatch();
    if (!wants) {
      member.since = 0;
    } else if (member.since == 0) {
      member.since = ++clock;
    }
    if (!wants || member.leasing) {
      leave(member);
    } else {
      enter(member, new Place(member.taker.batches(), member.since));
    }
  }

  private void enter(Member member, Place place) {
    Set<String> models = Set.copyOf(member.profile().modelNames());
    if (place.equals(member.place) && models.equals(member.models)) {
      return;
    }
    leave(member);
    member.place = place;
    member.models = models;
    waiting++;
    for (String model : models) {
      byModel.computeIfAbsent(model, key -> new TreeMap<>()).put(place, member);
    }
  }

  private void leave(Member member) {
    if (member.place == null) {
      return;
    }
    for (String model : member.models) {
      byModel.get(model).remove(member.place);
    }
    waiting--;
    member.place = null;
  }
}
