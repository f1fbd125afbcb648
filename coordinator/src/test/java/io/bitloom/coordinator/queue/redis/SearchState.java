package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.TaskRef;
import io.bitloom.coordinator.queue.redis.SearchCase.Move;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * One state of a case: what is in Redis, what coordinators have begun, what workers hold, and what
 * they were told. It is changed only until its picture is taken.
 */
final class SearchState {

  /** Nobody: a coordinator that died, or none that ever knew. */
  static final int NOBODY = -1;

  static final Comparator<TaskRef> ORDER =
      Comparator.comparing(TaskRef::jobId).thenComparing(TaskRef::offset);

  /** How far a worker is with a prompt, as in the session of a coordinator. */
  enum Stage {
    OPEN,
    REPORTED,
    OVER
  }

  /**
   * A lease as its worker and the worker's coordinator see it.
   *
   * @param owner that coordinator
   * @param starting how many jobs were not yet asked for their prompts
   * @param known whether each prompt that is over is no more in the lease
   * @param toldOver whether its coordinator has it among those that are over
   */
  record Lease(
      LeaseRef ref,
      int owner,
      int starting,
      boolean known,
      boolean toldOver,
      Map<TaskRef, Stage> tasks) {

    Lease with(Set<TaskRef> some, Stage stage, boolean stillKnown) {
      Map<TaskRef, Stage> now = new TreeMap<>(ORDER);
      now.putAll(tasks);
      some.forEach(task -> now.computeIfPresent(task, (ref, was) -> stage));
      return new Lease(ref, owner, starting, known && stillKnown, toldOver, now);
    }

    Lease given(List<TaskRef> some) {
      Map<TaskRef, Stage> now = new TreeMap<>(ORDER);
      now.putAll(tasks);
      some.forEach(task -> now.put(task, Stage.OPEN));
      return new Lease(ref, owner, starting - 1, known, toldOver, now);
    }

    /** Its coordinator died: what was reported is reported anew, to whichever there is. */
    Lease orphaned() {
      Map<TaskRef, Stage> now = new TreeMap<>(ORDER);
      tasks.forEach((task, stage) -> now.put(task, stage == Stage.REPORTED ? Stage.OPEN : stage));
      return new Lease(ref, NOBODY, 0, false, toldOver, starting > 0 ? new TreeMap<>(ORDER) : now);
    }

    Lease told() {
      return new Lease(ref, owner, starting, known, true, tasks);
    }

    boolean over() {
      return starting == 0
          && known
          && tasks.values().stream().allMatch(stage -> stage == Stage.OVER);
    }

    List<TaskRef> in(String jobId, Stage stage) {
      return tasks.keySet().stream()
          .filter(task -> task.jobId().equals(jobId) && tasks.get(task) == stage)
          .toList();
    }

    /** Nothing of the fencing token, which grows with the time. */
    String text(int index) {
      return "lease " + index + " lane=" + owner + " " + starting + known + toldOver + tasks;
    }
  }

  /** What Redis has, see {@code picture.lua}. */
  record Picture(String text, String wrong, Map<String, String> outcomes, List<byte[]> dumps) {}

  final SearchState before;
  final String move;
  Picture picture;
  final List<HalfStep> pending;
  final List<Lease> leases;
  final Map<Move, Integer> left;
  final Set<String> retired;

  /** Outcomes of which a worker was told that they were taken. */
  final Map<String, String> taken;

  private SearchState(SearchState before, String move) {
    this.before = before;
    this.move = move;
    this.pending = new ArrayList<>(before == null ? List.of() : before.pending);
    this.leases = new ArrayList<>(before == null ? List.of() : before.leases);
    this.left = new EnumMap<>(Move.class);
    this.left.putAll(before == null ? Map.of() : before.left);
    this.retired = new TreeSet<>(before == null ? Set.of() : before.retired);
    this.taken = new TreeMap<>(before == null ? Map.of() : before.taken);
    this.picture = before == null ? null : before.picture;
  }

  static SearchState first(SearchCase some) {
    SearchState first = new SearchState(null, "begin");
    first.left.putAll(some.moves());
    return first;
  }

  SearchState then(String next) {
    return new SearchState(this, next);
  }

  void spend(Move spent) {
    left.computeIfPresent(spent, (known, n) -> n == 1 ? null : n - 1);
  }

  void change(int lease, Lease now) {
    leases.set(lease, now);
  }

  int indexOf(LeaseRef ref) {
    for (int i = 0; i < leases.size(); i++) {
      if (leases.get(i).ref().equals(ref)) {
        return i;
      }
    }
    throw new AssertionError("a lease that nobody made: " + ref.token());
  }

  boolean busy(int lane) {
    return pending.stream().anyMatch(step -> step.lane() == lane && !step.detached());
  }

  /** Leases that are over and of which their bucket was not told. */
  List<Integer> over(int lane) {
    List<Integer> over = new ArrayList<>();
    for (int i = 0; i < leases.size(); i++) {
      Lease lease = leases.get(i);
      if (lease.owner() == lane && !lease.toldOver() && lease.over() && !lease.tasks().isEmpty()) {
        over.add(i);
      }
    }
    return over;
  }

  /** States in which the same can happen say the same. Coordinators may be swapped. */
  String text() {
    String text = text(0);
    String swapped = text(1);
    return text.compareTo(swapped) < 0 ? text : swapped;
  }

  private String text(int first) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < leases.size(); i++) {
      parts.add(swap(leases.get(i).text(i), first));
    }
    pending.stream().map(step -> swap(step.toString(), first)).sorted().forEach(parts::add);
    parts.add(left.toString());
    return String.join("\n", parts) + '\n' + redisText();
  }

  /** What matters when all coordinators are dead. */
  String redisText() {
    return picture.text() + '\n' + retired + taken;
  }

  private static String swap(String text, int first) {
    return first == 0
        ? text
        : text.replace("lane=0", "lane=x").replace("lane=1", "lane=0").replace("lane=x", "lane=1");
  }

  /** How it came to this. */
  String story() {
    return (before == null ? "" : before.story() + "\n  ") + move;
  }

  static Map<String, String> outcomes(List<String> lines) {
    return lines.stream()
        .collect(
            Collectors.toMap(
                line -> line.substring(0, line.indexOf(' ')),
                line -> line.substring(line.indexOf(' ') + 1),
                (one, other) -> one + " and " + other,
                HashMap::new));
  }
}
