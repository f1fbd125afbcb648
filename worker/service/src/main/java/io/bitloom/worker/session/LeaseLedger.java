package io.bitloom.worker.session;

import io.bitloom.engine.PromptWork;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.IndexRange;
import io.bitloom.v1.LeaseVerdicts;
import io.bitloom.v1.Release;
import io.bitloom.v1.TaskRef;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The worker's ledger: every prompt that it holds, from its lease until the coordinator has
 * acknowledged the outcome. Confined to the session's thread.
 */
final class LeaseLedger {

  /** A prompt, the work on it (unless it was refused at once), and then its outcome. */
  private static final class Held {
    final TaskRef task;
    PromptWork work; // until it has its outcome
    LeasedOutcome outcome;
    boolean inline; // its images could not be uploaded
    boolean gone;

    Held(TaskRef task, PromptWork work) {
      this.task = task;
      this.work = work;
    }
  }

  /**
   * The prompts of a lease that have no acknowledged outcome.
   *
   * @param lease without its prompts
   * @param prompts by their places in the lease
   */
  private record HeldPrompts(HeldLease lease, NavigableMap<Integer, Held> prompts) {

    HeldLease named() {
      return lease.toBuilder()
          .addAllTasks(prompts.values().stream().map(held -> held.task).toList())
          .addAllIndexes(prompts.keySet())
          .build();
    }
  }

  /** Outcomes of so many bytes cost more as messages than as bytes. */
  private static final long SMALL_BYTES = 64 << 10;

  private final Map<String, HeldPrompts> leases = new LinkedHashMap<>();
  private final Deque<Held> unsent = new ArrayDeque<>();
  private final Deque<Held> unstored = new ArrayDeque<>();
  private boolean uploads;
  private long unacknowledgedBytes;

  boolean isEmpty() {
    return leases.isEmpty();
  }

  /** Size of the outcomes that wait for their acknowledgement, sent or not. */
  long unacknowledgedBytes() {
    return unacknowledgedBytes;
  }

  /**
   * Takes a lease into the ledger.
   *
   * @param lease without its prompts
   */
  void add(HeldLease lease) {
    leases.put(lease.getLeaseId(), new HeldPrompts(lease, new TreeMap<>()));
  }

  /**
   * Adds a prompt to a lease.
   *
   * @param index its place in the lease
   * @param work null for a prompt that is not going to be drawn
   */
  void add(String leaseId, int index, TaskRef task, PromptWork work) {
    leases.get(leaseId).prompts.put(index, new Held(task, work));
  }

  /** Keeps an outcome until it is acknowledged, unless its prompt was given up. */
  void finished(LeasedOutcome outcome) {
    find(outcome)
        .ifPresent(
            held -> {
              held.outcome = outcome;
              held.work = null; // and with it the pixels
              unacknowledgedBytes += outcome.size();
              queue(held);
            });
  }

  /** The images of an outcome are in the result store: what names them is sent instead. */
  void uploaded(LeasedOutcome outcome) {
    find(outcome)
        .ifPresent(
            held -> {
              unacknowledgedBytes += outcome.size() - held.outcome.size();
              held.outcome = outcome;
              queue(held);
            });
  }

  /** The images of an outcome are to be sent with it, from now on. */
  void notUploaded(LeasedOutcome outcome) {
    find(outcome)
        .ifPresent(
            held -> {
              held.inline = true;
              queue(held);
            });
  }

  private void queue(Held held) {
    (uploads && !held.inline && held.outcome.carriesBytes() ? unstored : unsent).add(held);
  }

  /** The next outcome whose images have to be uploaded before it is sent. */
  Optional<LeasedOutcome> nextUnstored() {
    while (!unstored.isEmpty()) {
      Held held = unstored.remove();
      if (!held.gone) {
        return Optional.of(held.outcome);
      }
    }
    return Optional.empty();
  }

  /**
   * The next outcomes that this connection has not seen: neighbours in the queue that can go in one
   * message and are small together, or one; empty if there are none.
   */
  List<LeasedOutcome> nextUnsent() {
    List<LeasedOutcome> next = new ArrayList<>();
    long bytes = 0;
    for (Held held = unsent.peek(); held != null; held = unsent.peek()) {
      if (!held.gone) {
        bytes += held.outcome.size();
        if (!next.isEmpty() && (bytes > SMALL_BYTES || !held.outcome.goesWith(next.get(0)))) {
          break;
        }
        next.add(held.outcome);
      }
      unsent.remove();
    }
    return next;
  }

  /**
   * On a new connection every outcome that was not acknowledged is sent again.
   *
   * @param uploads whether images are uploaded before
   */
  void sendAllAgain(boolean uploads) {
    this.uploads = uploads;
    unsent.clear();
    unstored.clear();
    for (HeldPrompts lease : leases.values()) {
      lease.prompts.values().stream().filter(held -> held.outcome != null).forEach(this::queue);
    }
  }

  /** Forgets prompts whose outcomes are settled, whichever way. */
  void acknowledged(LeaseVerdicts verdicts) {
    HeldPrompts lease = leases.get(verdicts.getLeaseId());
    if (lease != null) {
      verdicts.getCommittedList().forEach(range -> forget(lease, range));
      verdicts.getSupersededList().forEach(range -> forget(lease, range));
    }
  }

  private void forget(HeldPrompts lease, IndexRange range) {
    int first = range.getFirst();
    forget(
        lease,
        lease.prompts.tailMap(first).keySet().stream()
            .takeWhile(index -> index - first < range.getCount())
            .toList());
  }

  /**
   * Forgets prompts; what the device has not drawn of them yet, it does not draw.
   *
   * @param tasks empty: the whole lease
   */
  void giveUp(String leaseId, Collection<TaskRef> tasks) {
    HeldPrompts lease = leases.get(leaseId);
    if (lease == null) {
      return;
    }
    Set<TaskRef> unwanted = Set.copyOf(tasks);
    List<Integer> indexes = new ArrayList<>();
    lease.prompts.forEach(
        (index, held) -> {
          if (unwanted.isEmpty() || unwanted.contains(held.task)) {
            indexes.add(index);
          }
        });
    forget(lease, indexes);
  }

  private void forget(HeldPrompts lease, List<Integer> indexes) {
    indexes.forEach(index -> forget(lease.prompts.remove(index)));
    if (lease.prompts.isEmpty()) {
      leases.remove(lease.lease.getLeaseId());
    }
  }

  private void forget(Held held) {
    held.gone = true;
    if (held.work != null) {
      held.work.abandon();
    }
    if (held.outcome != null) {
      unacknowledgedBytes -= held.outcome.size();
    }
  }

  /** Takes every prompt that the device has not started out of pipeline and ledger. */
  List<Release> releaseUnstarted(String reason) {
    return release(reason, PromptWork::withdraw);
  }

  /** Takes every prompt that has no outcome yet out of pipeline and ledger. */
  List<Release> releaseUndrawn(String reason) {
    return release(reason, work -> true);
  }

  private List<Release> release(String reason, Predicate<PromptWork> which) {
    List<Release> releases = new ArrayList<>();
    for (HeldPrompts lease : List.copyOf(leases.values())) {
      List<Integer> released = new ArrayList<>();
      List<TaskRef> tasks = new ArrayList<>();
      lease.prompts.forEach(
          (index, held) -> {
            if (held.work != null && which.test(held.work)) {
              released.add(index);
              tasks.add(held.task);
            }
          });
      if (!released.isEmpty()) {
        forget(lease, released);
        releases.add(
            Release.newBuilder()
                .setLeaseId(lease.lease.getLeaseId())
                .setFencingToken(lease.lease.getFencingToken())
                .setLeaseSecret(lease.lease.getSecret())
                .addAllTasks(tasks)
                .setReason(reason)
                .build());
      }
    }
    return releases;
  }

  /** All leases without their prompts, for heartbeats. */
  List<HeldLease> leases() {
    return leases.values().stream().map(HeldPrompts::lease).toList();
  }

  /** All leases with their open prompts, for Hello. */
  List<HeldLease> leasesWithPrompts() {
    return leases.values().stream().map(HeldPrompts::named).toList();
  }

  private Optional<Held> find(LeasedOutcome outcome) {
    return Optional.ofNullable(leases.get(outcome.leaseId()))
        .map(lease -> lease.prompts.get(outcome.index()));
  }
}
